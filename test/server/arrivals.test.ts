// Whose message comes to its end where all that have begun would take too much?

import { describe, expect, test } from 'vitest';
import { Arrival, Arrivals } from '../../src/server/arrivals.ts';

const LIMITS = { maxReceivingBytes: 1_000, maxBodyBytes: 600, crowdedStallMs: 5_000 };

function makeArrivals(otherBytes = 0) {
  const arrivals = new Arrivals(LIMITS, () => otherBytes);
  const told: string[] = [];
  const open = (name: string, silentMs = 0): Arrival => {
    const arrival: Arrival = new Arrival({
      silentMs: () => silentMs,
      holdBack: () => told.push(`${name} waits`),
      goOn: () => told.push(`${name} goes on`),
      shed: () => {
        told.push(`${name} is closed`);
        arrivals.changed(arrival, 0);
      },
    });
    return arrival;
  };
  return { arrivals, told, open };
}

describe('messages that come in', () => {
  test('wait for the first of them once they take too much, and go on in turn', () => {
    const { arrivals, told, open } = makeArrivals();
    const [a, b, c] = [open('a'), open('b'), open('c')];
    arrivals.changed(a, 400);
    arrivals.changed(b, 400);
    arrivals.changed(c, 200);
    expect(told).toEqual([]);
    arrivals.changed(c, 300);
    arrivals.changed(b, 500);
    arrivals.changed(a, 600);
    expect(told.splice(0)).toEqual(['c waits', 'b waits']);
    // It is whole: there is room for what is read of one.
    arrivals.changed(a, 0);
    expect(told.splice(0)).toEqual(['c goes on']);
    arrivals.changed(c, 600);
    expect(told.splice(0)).toEqual(['c waits', 'b goes on']);
    arrivals.changed(b, 0);
    expect(told).toEqual(['c goes on']);
  });

  test('are ended where nothing more comes of them, the largest first', () => {
    const { arrivals, told, open } = makeArrivals(300);
    const [a, b, c] = [open('a', 6_000), open('b', 5_000), open('c', 4_999)];
    for (const [arrival, bytes] of [
      [a, 100],
      [b, 300],
      [c, 290],
    ] as const)
      arrivals.changed(arrival, bytes);
    arrivals.look();
    expect(told).toEqual([]);
    arrivals.changed(c, 500);
    arrivals.look();
    expect(told).toEqual(['c waits', 'b is closed', 'c goes on']);
    expect(arrivals.bytes).toBe(600);
  });

  test('do not wait for ever for one that sends a little now and then', () => {
    const { arrivals, told, open } = makeArrivals();
    const [drip, other] = [open('drip'), open('other')];
    arrivals.changed(drip, 600);
    arrivals.changed(other, 500);
    expect(told.splice(0)).toEqual(['other waits']);
    arrivals.look();
    arrivals.look();
    expect(told.splice(0)).toEqual(['other goes on']);
    arrivals.changed(drip, 601);
    expect(told).toEqual(['drip waits']);
  });

  test('end with the largest past twice what is allowed and one message', () => {
    const { arrivals, told, open } = makeArrivals();
    const many = Array.from({ length: 26 }, (_, index) => open(String(index)));
    for (const [index, arrival] of many.entries()) arrivals.changed(arrival, 100 + index / 100);
    expect(told.filter((text) => text.endsWith('is closed'))).toEqual(['25 is closed']);
  });

  test('count no more when their link is gone, held back or not', () => {
    const { arrivals, told, open } = makeArrivals();
    const [a, b] = [open('a'), open('b')];
    arrivals.changed(a, 600);
    arrivals.changed(b, 600);
    arrivals.changed(b, 0);
    expect(told).toEqual(['b waits', 'b goes on']);
    arrivals.changed(a, 0);
    arrivals.look();
    expect([arrivals.bytes, told.length]).toEqual([0, 2]);
  });
});
