// Is bounded what links keep as long as they like: types that have an id, channels and operations?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import type { VitalSigns } from '../../src/transport/vitals.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld, type World } from '../support/server-world.ts';
import { definition, wideType } from '../support/type-definitions.ts';

const MIB = 1024 * 1024;

function worldWith(limits: Partial<Limits> = {}): Promise<World> {
  const pvs = { x: new SharedPV(ntScalar(double), { initial: { value: 1 } }) };
  return makeWorld({ pvs, config: { limits: { ...DEFAULT_LIMITS, ...limits } } });
}

describe('types that have an id', () => {
  test('are as many as clients need; whoever names more loses the link, and no one else does', async () => {
    hitsLimit('maxTypeRegistryFields');
    const world = await worldWith();
    const [greedy, other] = [await world.validated(), await world.validated()];
    for (let id = 1; id <= 5; id++) await greedy.sendBytes(definition(id, wideType(`g${id}_`, 9_000), false));
    expect(greedy.isClosed).toBe(false);
    await greedy.sendBytes(definition(6, wideType('g6_', 9_000), false));
    expect([greedy.isClosed, other.isClosed]).toEqual([true, false]);
    expect(world.notices.at(-1)?.text).toContain('maxTypeRegistryFields allows 50000');
  });

  test('count with what all links hold, and the link that names most is closed', async () => {
    hitsLimit('maxReceivingBytes');
    const world = await worldWith({ maxReceivingBytes: 20 * MIB });
    const [small, large, last] = [await world.validated(), await world.validated(), await world.validated()];
    await small.sendBytes(definition(1, wideType('s', 2_000), false));
    await large.sendBytes(definition(1, wideType('l', 8_000), false));
    expect(world.server.linkCount).toBe(3);
    await last.sendBytes(definition(1, wideType('t', 7_000), false));
    expect([small.isClosed, large.isClosed, last.isClosed]).toEqual([false, true, false]);
    expect(world.notices.at(-1)?.text).toMatch(
      /all links hold \d+ bytes of what their clients sent, 20971520 are allowed, and this one has most of them$/u,
    );
    // What it held is counted no more.
    const next = await world.validated();
    await next.sendBytes(definition(1, wideType('n', 3_000), false));
    expect(world.server.linkCount).toBe(3);
  });

  test('that most clients have cost nothing, however many clients there are', async () => {
    const world = await worldWith({ maxReceivingBytes: 1_000 });
    for (let index = 0; index < 30; index++) {
      const client = await world.validated();
      await client.sendBytes(definition(1, wideType('c', 60), false));
    }
    expect(world.server.linkCount).toBe(30);
  });
});

describe('channels and operations', () => {
  test('of all links have a bound, and the link that has most is closed', async () => {
    hitsLimit('maxOpenBytes');
    const world = await worldWith({ maxOpenBytes: 20_000 });
    const [small, large] = [await world.validated(), await world.validated()];
    for (let index = 0; index < 10; index++) await small.createChannel('x');
    const sid = await large.createChannel('x');
    for (let index = 0; index < 12; index++) await large.init('GET', sid);
    expect(world.server.linkCount).toBe(2);
    const ioid = large.newId();
    await large.send({ command: 'GET', phase: 'init', sid, ioid, subcommand: 0x08, pvRequest: null });
    expect([small.isClosed, large.isClosed]).toEqual([false, true]);
    expect(world.notices.at(-1)?.text).toMatch(
      /all links hold 20700 bytes of channels and operations, 20000 are allowed, and this one has most of them$/u,
    );
    for (let index = 0; index < 18; index++) await small.createChannel('x');
    expect(small.isClosed).toBe(false);
  });

  test('that are ended make room for others', async () => {
    const world = await worldWith({ maxOpenBytes: 10_000 });
    const client = await world.validated();
    for (let round = 0; round < 10; round++) {
      const sid = await client.createChannel('x');
      for (let index = 0; index < 8; index++) await client.init('GET', sid);
      await client.send({ command: 'DESTROY_CHANNEL', sid, cid: 1 });
    }
    expect(client.isClosed).toBe(false);
  });

  test('are what a server past its memory closes a link for', async () => {
    const signs: { now: VitalSigns } = { now: { memoryBytes: 0, loopDelayMs: 0 } };
    const world = await makeWorld({
      pvs: { x: new SharedPV(ntScalar(double)) },
      vitals: { take: () => signs.now },
      config: { maxMemoryBytes: 100 * MIB },
    });
    const [modest, hoarder] = [await world.validated(), await world.validated()];
    await modest.createChannel('x');
    const channels = Array.from({ length: 2_000 }, (_, cid) => ({ cid, pvName: 'x' }));
    await hoarder.send({ command: 'CREATE_CHANNEL', channels });
    signs.now = { memoryBytes: 101 * MIB, loopDelayMs: 0 };
    await world.clock.advanceAsync(1_000);
    expect([modest.isClosed, hoarder.isClosed]).toEqual([false, true]);
  });
});

describe('updates that were queued for a monitor', () => {
  test('are given back where its INIT is refused, so that others have the room', async () => {
    const camera = new SharedPV(ntScalarArray(double), {
      initial: { value: [] },
      onFirstSubscriber: (pv) => {
        for (let index = 0; index < 4; index++) pv.post({ value: new Float64Array(1_000) });
        throw new Error('the camera is off');
      },
    });
    const wave = new SharedPV(ntScalarArray(double), { initial: { value: [] } });
    const world = await makeWorld({
      pvs: { camera, wave },
      config: { limits: { ...DEFAULT_LIMITS, monitorPauseBytes: 20_000, maxQueuedBytes: 100_000 } },
    });
    const asking = await world.validated();
    const off = await asking.createChannel('camera');
    for (let index = 0; index < 20; index++) await asking.initMonitor(off, 'record[queueSize=100]field()');
    const client = await world.validated();
    const sid = await client.createChannel('wave');
    await client.initMonitor(sid, 'record[queueSize=100]field()');
    for (let index = 0; index < 10; index++) wave.post({ value: new Float64Array(1_000) });
    expect(world.server.counters.updatesSquashed).toBe(0);
    // What is posted later finds no monitor of the camera that would queue it.
    camera.post({ value: new Float64Array(1_000) });
    for (let index = 0; index < 2; index++) wave.post({ value: new Float64Array(100) });
    expect(world.server.counters.updatesSquashed).toBe(0);
  });
});
