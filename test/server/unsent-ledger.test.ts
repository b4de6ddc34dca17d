// Is what clients do not take bounded for all links together, and do those who take go on meanwhile?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { UnsentLedger } from '../../src/server/unsent-ledger.ts';
import type { MemoryHost } from '../../src/transport/memory-network.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld, type World } from '../support/server-world.ts';
import type { WireClient } from '../support/wire-client.ts';

const WAVE = ntScalarArray(double);
const START = 0x44;
const LIMITS = { maxUnsentBytes: 1_000, crowdedStallMs: 5_000, monitorPauseBytes: 200, readPauseBytes: 400 };

/** A link whose client has taken nothing for a minute. */
const STALLED = { measure: () => undefined, stalledMs: () => 60_000, wake: () => undefined };

function makeLedger() {
  const ledger = new UnsentLedger(LIMITS);
  const shed: string[] = [];
  const woken: string[] = [];
  const open = (name: string, address = name, stalledMs = 60_000) => {
    const account = ledger.open({
      ...STALLED,
      address,
      stalledMs: () => stalledMs,
      wake: () => woken.push(name),
      shed: (reason) => {
        shed.push(`${name}: ${reason}`);
        account.holds(0, Number.POSITIVE_INFINITY);
      },
    });
    return account;
  };
  return { ledger, shed, woken, open };
}

describe('the ledger', () => {
  test('lets each link hold what its own bounds allow while there is plenty, and then ever less', () => {
    const { ledger, open, shed } = makeLedger();
    const accounts = ['a', 'b', 'c', 'd'].map((name) => open(name));
    for (const account of accounts) account.holds(125, 0);
    expect([ledger.monitorPauseBytes, ledger.readPauseBytes]).toEqual([200, 400]);
    accounts[0]?.holds(375, 0);
    expect([ledger.monitorPauseBytes, ledger.readPauseBytes]).toEqual([100, 200]);
    accounts[0]?.holds(625, 0);
    expect([ledger.monitorPauseBytes, ledger.readPauseBytes]).toEqual([1, 1]);
    accounts[0]?.holds(0, 0);
    expect([ledger.monitorPauseBytes, ledger.readPauseBytes]).toEqual([200, 400]);
    expect(shed).toEqual([]);
  });

  test('counts what several links are given alike once, for as long as one has it', () => {
    const { ledger, open } = makeLedger();
    const [a, b] = [open('a'), open('b')];
    const image = new Uint8Array(300);
    a.lend(image, 310);
    a.holds(310, 0);
    b.lend(image, 305);
    b.holds(305, 0);
    expect([ledger.heldBytes, a.heldBytes, b.heldBytes]).toEqual([315, 160, 155]);
    a.holds(100, 210);
    expect(ledger.heldBytes).toBe(305);
    a.holds(0, 310);
    expect([ledger.heldBytes, a.isEmpty, b.heldBytes]).toEqual([305, true, 305]);
    b.holds(0, 305);
    expect(ledger.heldBytes).toBe(0);
  });

  test('closes the worst links of the host that holds most, and looks again at each before that', () => {
    const { ledger, shed, open } = makeLedger();
    open('honest', 'x').holds(300, 0);
    for (let index = 0; index < 7; index++) open(`many ${index}`, 'y').holds(90 + index, 0);
    expect(ledger.heldBytes).toBe(951);
    open('last', 'z').holds(60, 0);
    ledger.look();
    expect(shed).toEqual([
      'many 6: all links hold 1011 bytes that their clients do not take, 1000 are allowed, and this one holds 96 of them',
      'many 5: all links hold 1011 bytes that their clients do not take, 1000 are allowed, and this one holds 95 of them',
    ]);
    expect(ledger.heldBytes).toBeLessThanOrEqual(900);
  });

  test('closes nobody for what has been taken meanwhile', () => {
    const ledger = new UnsentLedger(LIMITS);
    const shed: string[] = [];
    const quick = ledger.open({
      ...STALLED,
      address: 'a',
      measure: () => quick.holds(0, 900),
      shed: (reason) => shed.push(reason),
    });
    quick.holds(900, 0);
    ledger.open({ ...STALLED, address: 'b', shed: (reason) => shed.push(reason) }).holds(200, 0);
    ledger.look();
    expect([shed, ledger.heldBytes]).toEqual([[], 200]);
  });

  test('leaves alone who takes, and who has taken nothing for a moment only', () => {
    const { ledger, shed, open } = makeLedger();
    open('slow', 'a', 4_999).holds(800, 0);
    open('stopped', 'b', 5_000).holds(300, 0);
    ledger.look();
    expect(shed.map((text) => text.split(':')[0])).toEqual(['stopped']);
  });

  test('closes at twice the bound whoever takes nothing, and gives nobody anything until then', () => {
    const { ledger, shed, open } = makeLedger();
    open('reads', 'a', 99).holds(1_500, 0);
    open('stopped', 'b', 99).holds(600, 0);
    expect([shed, ledger.monitorPauseBytes, ledger.readPauseBytes]).toEqual([[], 0, 0]);
    open('another', 'b', 100).holds(100, 0);
    expect(shed.map((text) => text.split(':')[0])).toEqual(['another']);
  });

  test('has room for what is large up to the bound, and up to twice that for hosts that hold nothing', () => {
    const { ledger, open } = makeLedger();
    const [a, a2, b] = [open('a', 'x', 0), open('a2', 'x', 0), open('b', 'y', 0)];
    a.holds(1_000, 0);
    expect([a.hasRoom, a2.hasRoom, b.hasRoom]).toEqual([true, true, true]);
    a.lend(new Uint8Array(1), 1_001);
    expect([ledger.isOver, a.hasRoom, a2.hasRoom, b.hasRoom]).toEqual([true, false, false, true]);
    b.holds(1_000, 0);
    expect([b.hasRoom, open('c', 'z').hasRoom]).toEqual([false, false]);
  });

  test('wakes those that wait in turn when there is room, or their host holds nothing any more', () => {
    const { woken, open } = makeLedger();
    const [a, b, c] = [open('a', 'x', 0), open('b', 'y', 0), open('c', 'y', 0)];
    a.holds(1_200, 0);
    b.holds(300, 0);
    for (const each of [c, a, b]) each.wait();
    a.holds(1_100, 100);
    expect(woken).toEqual([]);
    b.holds(0, 300);
    expect(woken.splice(0)).toEqual(['c', 'a', 'b']);
    c.wait();
    b.wait();
    b.close(300);
    a.holds(900, 300);
    expect(woken).toEqual(['c']);
  });

  test('holds nothing once all is taken, whatever was lent to whom', () => {
    const step = fc.record({ link: fc.nat(2), piece: fc.option(fc.nat(3)), bytes: fc.nat(50), taken: fc.nat(120) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const ledger = new UnsentLedger({ ...LIMITS, maxUnsentBytes: 1_000_000 });
        const pieces = [10, 20, 30, 40].map((length) => new Uint8Array(length));
        const links = [0, 1, 2].map(() => ({
          account: ledger.open({ ...STALLED, address: 'a', shed: () => undefined }),
          sent: 0,
          taken: 0,
        }));
        for (const { link, piece, bytes, taken } of steps) {
          const each = links[link];
          if (each === undefined) continue;
          const lent = piece === null ? undefined : pieces[piece];
          each.sent += bytes + (lent?.length ?? 0);
          if (lent !== undefined) each.account.lend(lent, each.sent);
          each.taken = Math.min(each.sent, each.taken + taken);
          each.account.holds(each.sent - each.taken, each.taken);
          expect(ledger.heldBytes).toBeLessThanOrEqual(links.reduce((sum, one) => sum + one.sent - one.taken + 40, 0));
        }
        for (const { account, sent } of links) account.holds(0, sent);
        expect([ledger.heldBytes, links.every(({ account }) => account.isEmpty)]).toEqual([0, true]);
      }),
    );
  });
});

describe('answers that are not taken', () => {
  const makePv = () => new SharedPV(WAVE, { initial: { value: new Float64Array(1_000) } });
  const limits = { ...DEFAULT_LIMITS, maxUnsentBytes: 1_000_000, monitorPauseBytes: 40_000, readPauseBytes: 100_000 };

  /** A client with a GET. */
  async function clientOf(world: World, from: MemoryHost): Promise<{ client: WireClient; sid: number; ioid: number }> {
    const client = await world.connect({ from });
    await client.validate();
    const sid = await client.createChannel('w');
    const ioid = await client.init('GET', sid);
    client.heard.length = 0;
    return { client, sid, ioid };
  }

  /** Asks for far more than is read. */
  async function ask({ client, sid, ioid }: Awaited<ReturnType<typeof clientOf>>, count: number): Promise<void> {
    client.connection.pause();
    const requests = Array.from({ length: count }, () => ({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 }));
    // One command for all of them.
    await client.send(...(requests as Parameters<WireClient['send']>));
  }

  test('of many links have a bound, those that held back go on, and so does everybody who takes', async () => {
    hitsLimit('maxUnsentBytes');
    const world = await makeWorld({ pvs: { w: makePv() }, config: { limits } }, { kernelBytes: 1_000 });
    const honest = await clientOf(world, world.network.host('honest'));
    const host = world.network.host('greedy');
    const greedy = [];
    for (let index = 0; index < 10; index++) {
      const one = await clientOf(world, host);
      await ask(one, 20);
      greedy.push(one);
      const { update } = await getFrom(world, honest);
      expect(update.value).toMatchObject({ value: { length: 1_000 } });
    }
    expect(world.server.counters.linksShed).toBe(0);
    expect(honest.client.isClosed).toBe(false);
    // They read at last: each gets all that it asked for.
    for (const { client } of greedy) client.connection.resume();
    await world.clock.advanceAsync(20_000);
    expect(greedy.map(({ client }) => client.takeAll('GET').length)).toEqual(greedy.map(() => 20));
    await world.clock.until(world.server.close());
  });

  test('close links of the host that has most of them, where holding back is not enough', async () => {
    const world = await makeWorld({ pvs: { w: makePv() }, config: { limits } }, { kernelBytes: 1_000 });
    const slow = await clientOf(world, world.network.host('slow'));
    const host = world.network.host('greedy');
    await ask(slow, 10);
    const greedy = [];
    for (let index = 0; index < 200; index++) {
      const one = await clientOf(world, host);
      await ask(one, 2);
      greedy.push(one);
    }
    await world.clock.advanceAsync(DEFAULT_LIMITS.crowdedStallMs + 1_000);
    expect(world.server.counters.linksShed).toBeGreaterThan(10);
    expect(slow.client.isClosed).toBe(false);
    const closed = world.notices.find(({ kind, level }) => kind === 'linkClosed' && level === 'warning');
    expect(closed?.text).toMatch(/all links hold \d+ bytes that their clients do not take, 1000000 are allowed/u);
    slow.client.connection.resume();
    await world.clock.advanceAsync(5_000);
    expect(slow.client.takeAll('GET')).toHaveLength(10);
    await world.clock.until(world.server.close());
  });

  test('are bounded by a part of the memory that the server may take', async () => {
    const world = await makeWorld(
      {
        pvs: { w: makePv() },
        vitals: { take: () => ({ memoryBytes: 0, loopDelayMs: 0 }) },
        config: { maxMemoryBytes: 4_000_000, limits: { ...limits, maxUnsentBytes: DEFAULT_LIMITS.maxUnsentBytes } },
      },
      { kernelBytes: 1_000 },
    );
    const host = world.network.host('greedy');
    for (let index = 0; index < 200; index++) await ask(await clientOf(world, host), 2);
    await world.clock.advanceAsync(DEFAULT_LIMITS.crowdedStallMs + 1_000);
    expect(world.server.counters.linksShed).toBeGreaterThan(10);
    await world.clock.until(world.server.close());
  });

  test('do not count the same image for each of the monitors that wait for it', async () => {
    const pv = new SharedPV(WAVE, { initial: { value: new Float64Array(1_000) } });
    const world = await makeWorld({ pvs: { w: pv }, config: { limits } }, { kernelBytes: 1_000 });
    const watchers = [];
    for (let index = 0; index < 20; index++) {
      const { client, sid } = await clientOf(world, world.network.host(`display ${index}`));
      await client.steer(sid, await client.initMonitor(sid), START);
      client.heard.length = 0;
      client.connection.pause();
      watchers.push(client);
    }
    // 800 KB for each of them.
    pv.post({ value: new Float64Array(100_000).fill(7) });
    await world.settle();
    expect(world.server.counters.linksShed).toBe(0);
    for (const client of watchers) client.connection.resume();
    await world.clock.advanceAsync(20_000);
    expect(watchers.map((client) => client.takeAll('MONITOR').length)).toEqual(watchers.map(() => 1));
    await world.clock.until(world.server.close());
  });

  async function getFrom(world: World, { client, sid, ioid }: Awaited<ReturnType<typeof clientOf>>) {
    await client.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
    await world.clock.advanceAsync(100);
    const reply = client.take('GET');
    if (reply.phase !== 'exec' || reply.update === null) throw new Error('no value');
    return { update: reply.update };
  }
});
