// Does everybody who reads get what he asked for, however large it is beside what all links may hold?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { parsePvRequest } from '../../src/protocol/pv-request.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { OK } from '../../src/protocol/status.ts';
import { double } from '../../src/protocol/types/type-desc.ts';
import type { MemoryHost } from '../../src/transport/memory-network.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld, type World } from '../support/server-world.ts';
import type { WireClient } from '../support/wire-client.ts';

const WAVE = ntScalarArray(double);
const START = 0x44;
const IMAGE_COUNT = 8;
const IMAGE_LENGTH = 50_000;
/** Less than one image takes. */
const limits = { ...DEFAULT_LIMITS, maxUnsentBytes: 300_000 };
/** What the kernel takes of an answer before its client reads. */
const LITTLE = { kernelBytes: 1_000 };

/** `image 0` and so on, and what is small. */
function makeImages(): Promise<World> {
  const image = (index: number): SharedPV =>
    SharedPV.mailbox(WAVE, { initial: { value: new Float64Array(IMAGE_LENGTH).fill(index) } });
  const images = Array.from({ length: IMAGE_COUNT }, (_, index) => [`image ${index}`, image(index)] as const);
  const pvs = {
    ...Object.fromEntries(images),
    small: new SharedPV(ntScalar(double), { initial: { value: 5 } }),
    call: new SharedPV(ntScalar(double), {
      onCall: () => ({ type: WAVE, value: { value: new Float64Array(IMAGE_LENGTH) } }),
    }),
  };
  return makeWorld({ pvs, config: { limits } }, LITTLE);
}

interface Asking {
  readonly client: WireClient;
  readonly sid: number;
  readonly ioid: number;
}

async function open(world: World, pvName: string, from?: MemoryHost, command: 'GET' | 'PUT' = 'GET'): Promise<Asking> {
  const client = await world.connect(from === undefined ? {} : { from });
  await client.validate();
  const sid = await client.createChannel(pvName);
  return { client, sid, ioid: await client.init(command, sid) };
}

function get({ client, sid, ioid }: Asking): Promise<void> {
  return client.send({ command: 'GET', phase: 'exec', sid, ioid, subcommand: 0 });
}

/** How many values it has been given. */
function gotCount({ client }: Asking): number {
  return client.takeAll('GET').filter(({ phase }) => phase === 'exec').length;
}

describe('a client that reads', () => {
  test('gets a value that is larger than what all links may hold', async () => {
    const world = await makeImages();
    const one = await open(world, 'image 1');
    for (let round = 0; round < 3; round++) {
      await get(one);
      await world.clock.advanceAsync(300);
    }
    expect([gotCount(one), one.client.isClosed, world.server.counters.linksShed]).toEqual([3, false, 0]);
    await world.clock.until(world.server.close());
  });

  test('gets its image also when many of its host ask at once, one after the other', async () => {
    const world = await makeImages();
    const many = [];
    for (let index = 0; index < IMAGE_COUNT; index++) many.push(await open(world, `image ${index}`));
    for (const { client } of many) client.connection.pause();
    for (const one of many) await get(one);
    for (const { client } of many) client.connection.resume();
    await world.clock.advanceAsync(300);
    expect(many.map(gotCount)).toEqual(many.map(() => 1));
    expect(world.server.counters.linksShed).toBe(0);
    await world.clock.until(world.server.close());
  });

  test('gets every kind of large answer, and updates of a monitor', async () => {
    const world = await makeImages();
    const first = await open(world, 'image 0');
    const { client, sid, ioid } = await open(world, 'image 1', undefined, 'PUT');
    const rpc = await open(world, 'call');
    const call = rpc.client.newId();
    await rpc.client.send({
      command: 'RPC',
      phase: 'init',
      sid: rpc.sid,
      ioid: call,
      subcommand: 0x08,
      pvRequest: parsePvRequest(''),
    });
    const watcher = await open(world, 'image 2');
    const monitor = await watcher.client.initMonitor(watcher.sid);
    for (const each of [client, rpc.client, watcher.client]) each.heard.length = 0;
    first.client.connection.pause();
    await get(first);
    await client.send({ command: 'PUT', phase: 'get', sid, ioid, subcommand: 0x40 });
    await rpc.client.send({ command: 'RPC', phase: 'exec', sid: rpc.sid, ioid: call, subcommand: 0, argument: null });
    await watcher.client.steer(watcher.sid, monitor, START);
    expect([client, rpc.client, watcher.client].map(({ heard }) => heard.length)).toEqual([0, 0, 0]);
    first.client.connection.resume();
    await world.clock.advanceAsync(300);
    expect(client.take('PUT')).toMatchObject({ phase: 'get', status: OK });
    expect(rpc.client.take('RPC')).toMatchObject({ phase: 'exec', status: OK });
    expect(watcher.client.updates(monitor)).toHaveLength(1);
    expect(world.server.counters.linksShed).toBe(0);
    await world.clock.until(world.server.close());
  });

  test('gets the updates of a monitor also while it always asks for the next image', async () => {
    const roomy = { ...DEFAULT_LIMITS, monitorPauseBytes: 20_000, readPauseBytes: 100_000 };
    const counter = new SharedPV(ntScalar(double), { initial: { value: 0 } });
    const image = new SharedPV(WAVE, { initial: { value: new Float64Array(IMAGE_LENGTH) } });
    const pvs = { counter, image };
    const world = await makeWorld(
      { pvs, config: { limits: roomy } },
      { kernelBytes: 40_000, chunkBytes: [40_000, 40_000], bytesPerMs: 4_000 },
    );
    const asking = await open(world, 'image');
    const { client } = asking;
    const sid = await client.createChannel('counter');
    const monitor = await client.initMonitor(sid);
    await client.steer(sid, monitor, START);
    for (let index = 0; index < 20; index++) await get(asking);
    client.heard.length = 0;
    // 100 ms an image: ten of twenty.
    let updates = 0;
    for (let value = 1; value <= 10; value++) {
      counter.post({ value });
      await world.clock.advanceAsync(100);
      updates += client.updates(monitor).length;
    }
    expect([gotCount(asking) <= 11, updates]).toEqual([true, 10]);
    await world.clock.until(world.server.close());
  });

  test('gets what is small at once, while what is large waits', async () => {
    const world = await makeImages();
    const images = [await open(world, 'image 1'), await open(world, 'image 2')];
    const small = await open(world, 'small');
    images[0]?.client.connection.pause();
    for (const each of images) await get(each);
    await world.clock.advanceAsync(500);
    await get(small);
    await world.clock.advanceAsync(50);
    expect([gotCount(small), ...images.map(gotCount)]).toEqual([1, 0, 0]);
    await world.clock.until(world.server.close());
  });
});

describe('a client that takes nothing', () => {
  test('is closed when others of its host wait for it, who then get theirs', async () => {
    hitsLimit('crowdedStallMs');
    const world = await makeImages();
    const [stopped, waiting] = [await open(world, 'image 1'), await open(world, 'image 2')];
    stopped.client.connection.pause();
    await get(stopped);
    await get(waiting);
    await world.clock.advanceAsync(4_500);
    expect([gotCount(waiting), world.server.counters.linksShed]).toEqual([0, 0]);
    await world.clock.advanceAsync(5_000);
    expect([gotCount(waiting), world.server.counters.linksShed, waiting.client.isClosed]).toEqual([1, 1, false]);
    expect(world.notices.find(({ kind, level }) => kind === 'linkClosed' && level === 'warning')?.text).toMatch(
      /all links hold \d+ bytes that their clients do not take, 300000 are allowed, and this one holds \d+ of them$/u,
    );
    await world.clock.until(world.server.close());
  });

  test('keeps nobody of another host from an image', async () => {
    const world = await makeImages();
    const stopped = await open(world, 'image 1');
    const other = await open(world, 'image 2', world.network.host('another'));
    stopped.client.connection.pause();
    await get(stopped);
    await get(other);
    await world.clock.advanceAsync(2_000);
    expect([gotCount(other), world.server.counters.linksShed]).toEqual([1, 0]);
    await world.clock.until(world.server.close());
  });
});
