// Does a server take no more connections than it may, from nobody more than a share, and tell of a storm without one of
// notices?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import { Admission } from '../../src/server/admission.ts';
import { CalmNotices } from '../../src/server/calm-notices.ts';
import { linkCap } from '../../src/server/system-limits.ts';
import type { Network } from '../../src/transport/network.ts';
import { Wakefulness } from '../../src/server/wakefulness.ts';
import { configWith, LOOPBACK, makeWorld } from '../support/server-world.ts';
import { fromHex } from '../support/vectors.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const { limits: DEFAULTS } = configWith();
const makePv = () => new SharedPV(ntScalar(double), { initial: { value: 1 } });

describe('admission', () => {
  test('counts by host, and all together', () => {
    const admission = new Admission({ maxLinks: 3, maxLinksPerHost: 2 });
    expect(['a', 'a', 'a', 'b', 'b'].map((host) => admission.admit(host))).toEqual([
      undefined,
      undefined,
      '2 links of this host are open',
      undefined,
      '3 links are open',
    ]);
    admission.release('a');
    expect(admission.count).toBe(2);
    expect(admission.admit('a')).toBeUndefined();
    // Whoever was not admitted cannot be released.
    admission.release('c');
    expect(admission.count).toBe(3);
  });

  test('takes none while it is paused, and none for ever once it is closed', () => {
    const admission = new Admission({ maxLinks: 3, maxLinksPerHost: 3 });
    admission.pauseFor('no memory');
    expect(admission.admit('a')).toBe('no memory');
    admission.pauseFor(undefined);
    expect(admission.admit('a')).toBeUndefined();
    admission.close('the end');
    admission.pauseFor('no memory');
    expect(admission.admit('a')).toBe('the end');
  });

  test('takes no more than the system has descriptors for, and says so', () => {
    const texts: string[] = [];
    const cap = (descriptors: number | undefined, workers: number): number => {
      // Only this part of a network is looked at.
      const network = { descriptorLimit: () => descriptors } as unknown as Network;
      const found = linkCap(network, { limits: DEFAULTS, workers });
      if (found !== undefined) texts.push(found.text);
      return new Admission(DEFAULTS, () => found?.most).most;
    };
    expect(cap(undefined, 1)).toBe(DEFAULTS.maxLinks);
    expect(cap(1_000_000, 1)).toBe(DEFAULTS.maxLinks);
    expect(texts).toEqual([]);
    expect(cap(1_024, 1)).toBe(896);
    expect(cap(1_024, 4)).toBe(3_584);
    expect(cap(10, 1)).toBe(1);
    expect(texts[0]).toMatch(/^at most 896 links are taken, not 16384: the system allows a process 1024 open files; /u);
  });
});

describe('a host', () => {
  const placesOf = (limits: { maxLinks: number; maxLinksPerHost: number }, cap?: number): number => {
    const admission = new Admission(limits, () => cap);
    let count = 0;
    while (admission.admit('greedy') === undefined) count++;
    return count;
  };

  test('leaves a quarter of the links to others, however many there may be', () => {
    expect(placesOf(DEFAULTS)).toBe(12_288);
    expect(placesOf({ ...DEFAULTS, maxLinks: 1_000 })).toBe(750);
    expect(placesOf(DEFAULTS, 896)).toBe(672);
    expect(placesOf({ ...DEFAULTS, maxLinks: 100_000 })).toBe(12_288);
  });

  test('may have as many as somebody has said', () => {
    expect(placesOf({ maxLinks: 1_000, maxLinksPerHost: 1_000 })).toBe(1_000);
    expect(placesOf({ maxLinks: 1_000, maxLinksPerHost: 10 })).toBe(10);
  });
});

describe('a host with many links', () => {
  test('is refused past its share, and others are served', async () => {
    hitsLimit('maxLinksPerHost');
    const world = await makeWorld({ pvs: { x: makePv() }, config: { limits: { ...DEFAULTS, maxLinksPerHost: 2 } } });
    const [first] = [await world.validated(), await world.validated()];
    const third = await world.connect();
    expect(third.isClosed).toBe(true);
    expect(world.notices.at(-1)?.text).toMatch(/^client 127\.0\.0\.1:\d+: refused, 2 links of this host are open$/u);
    const far = await world.connect({ from: world.network.host('far') });
    await far.validate();
    expect(await far.createChannel('x')).toBeGreaterThan(0);
    first.connection.destroy();
    await world.settle();
    expect((await world.connect()).isClosed).toBe(false);
  });
});

describe('a storm', () => {
  test('is told of once, and then once a second by how many there were', async () => {
    const world = await makeWorld({ config: { limits: { ...DEFAULTS, maxLinks: 1 } } });
    await world.connect();
    for (let index = 0; index < 50; index++) await world.connect();
    await world.clock.advanceAsync(3_000);
    const told = world.notices.filter(({ kind }) => kind === 'linkRefused' || kind === 'linksRefused');
    expect(told.map(({ kind }) => kind)).toEqual(['linkRefused', 'linksRefused']);
    expect(told[1]?.text).toBe('49 more connections were refused');
    expect(world.server.counters.linksRefused).toBe(50);
  });

  test('of notices is counted while it is fresh, whenever it is looked at', () => {
    const told: string[] = [];
    const calm = new CalmNotices((text) => told.push(text), String);
    expect([0, 10, 999, 1_000, 1_500].map((now) => calm.take(now))).toEqual([true, false, false, false, false]);
    expect(told).toEqual(['2']);
    calm.look(1_999);
    expect(told).toEqual(['2']);
    calm.look(2_000);
    expect(told).toEqual(['2', '2']);
    expect(calm.take(5_000)).toBe(true);
  });
});

describe('a connection that does not say who it is', () => {
  test('is closed after a while, however much it sends otherwise', async () => {
    hitsLimit('handshakeMs');
    const world = await makeWorld({ pvs: { x: makePv() } });
    const [silent, babbling] = [await world.connect(), await world.connect()];
    for (let ms = 0; ms < DEFAULTS.handshakeMs - 1_000; ms += 1_000) {
      await babbling.send({ command: 'ECHO', payload: fromHex('00') });
      await world.clock.advanceAsync(999);
    }
    expect([silent.isClosed, babbling.isClosed]).toEqual([false, false]);
    await world.clock.advanceAsync(2_000);
    expect([silent.isClosed, babbling.isClosed]).toEqual([true, true]);
    expect(world.notices.at(-1)?.text).toMatch(/did not say who it is within 10 s$/u);
    expect(world.server.linkCount).toBe(0);
  });

  test('but opens a channel stays, as with both C++ servers', async () => {
    const world = await makeWorld({ pvs: { x: makePv() } });
    const client = await world.connect();
    await client.createChannel('x');
    await world.clock.advanceAsync(DEFAULTS.handshakeMs + 5_000);
    expect(client.isClosed).toBe(false);
  });

  test('with a header that never ends is closed likewise', async () => {
    const world = await makeWorld();
    const client = await world.connect();
    for (const byte of ['ca', '02', '00', '01', 'ff', 'ff', 'ff']) {
      await client.sendBytes(fromHex(byte));
      await world.clock.advanceAsync(1_600);
    }
    expect(client.isClosed).toBe(true);
  });
});

describe('a server that was stopped for minutes', () => {
  test('closes no link for a silence that it slept through', async () => {
    const world = await makeWorld({ pvs: { x: makePv() }, config: { interfaces: [LOOPBACK] } });
    const clients = [await world.validated(), await world.validated()];
    const [first] = clients;
    world.clock.sleep(600_000);
    await world.clock.advanceAsync(5_000);
    expect(clients.map(({ isClosed }) => isClosed)).toEqual([false, false]);
    // From now on the silence counts: whoever says something stays.
    await first?.send({ command: 'ECHO', payload: fromHex('00') });
    await world.clock.advanceAsync(world.server.config.connectionTimeoutMs - 2_000);
    expect(clients.map(({ isClosed }) => isClosed)).toEqual([false, true]);
  });

  test('gives slow clients and new ones the time that it slept', async () => {
    const world = await makeWorld({ pvs: { x: makePv() } });
    const fresh = await world.connect();
    world.clock.sleep(60_000);
    await world.clock.advanceAsync(2_000);
    expect(fresh.isClosed).toBe(false);
    await world.clock.advanceAsync(DEFAULTS.handshakeMs);
    expect(fresh.isClosed).toBe(true);
  });

  test('is known by a look that comes much too late', () => {
    const wakefulness = new Wakefulness(1_000, 0);
    expect([1_000, 2_400, 5_300, 65_300, 66_300].map((now) => wakefulness.sleptMs(now))).toEqual([0, 0, 0, 59_000, 0]);
  });
});
