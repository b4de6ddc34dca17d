// Does a worker that is behind hear of a channel in an order that it can follow, whatever becomes of the channel meanwhile?

import { describe, expect, test } from 'vitest';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { OK, STATUS_ERROR } from '../../src/protocol/status.ts';
import { begin, makeCrew, scalarPv, valuesOf, watch, WAVE } from '../support/crew-world.ts';

/** A worker that has asked for channel `b`, and whose answer waits behind values of another. */
async function makeBehind() {
  const wave = SharedPV.mailbox(WAVE, { initial: { value: [0] } });
  const b = scalarPv({ initial: { value: 2 } });
  const world = await makeCrew({
    pvs: { wave, b },
    pipe: { bytesPerMs: 1_000, kernelBytes: 10_000 },
    config: { limits: { ...DEFAULT_LIMITS, monitorPauseBytes: 60_000 } },
  });
  const client = await world.connect();
  await watch(client, 'wave');
  await world.clock.advanceAsync(100);
  for (let count = 1; count <= 10; count++) {
    wave.post({ value: new Float64Array(5_000).fill(count) });
    await world.clock.advanceAsync(1);
  }
  client.heard.length = 0;
  await client.send({ command: 'CREATE_CHANNEL', channels: [{ cid: 99, pvName: 'b' }] });
  await world.clock.advanceAsync(5);
  expect(client.takeAll('CREATE_CHANNEL')).toEqual([]);
  expect(b.subscriberCount).toBe(1);
  return { ...world, client, b };
}

describe('a channel that a worker waits for', () => {
  test('and that ends meanwhile is not there for its client', async () => {
    const { clock, client, b, server, close } = await makeBehind();
    b.close();
    await clock.advanceAsync(2_000);
    expect(client.take('CREATE_CHANNEL')).toMatchObject({ cid: 99, status: { type: STATUS_ERROR } });
    // The next one of this name is served as ever.
    server.remove('b');
    server.add('b', scalarPv({ initial: { value: 3 } }));
    await watch(client, 'b');
    expect(valuesOf(client).at(-1)).toMatchObject({ value: 3 });
    await close();
  });

  test('comes with the value that it has by then, also where its subscriptions were finished', async () => {
    const { clock, client, b, close } = await makeBehind();
    b.post({ value: 7 });
    b.finish();
    await clock.advanceAsync(2_000);
    const { sid, status } = client.take('CREATE_CHANNEL');
    expect(status).toEqual(OK);
    expect(await client.get(sid, await begin(client, 'GET', sid))).toMatchObject({ update: { value: { value: 7 } } });
    b.post({ value: 8 });
    await clock.advanceAsync(100);
    expect(await client.get(sid, await begin(client, 'GET', sid))).toMatchObject({ update: { value: { value: 8 } } });
    await close();
  });
});

describe('a channel that a worker has', () => {
  test('ends behind the last value that it had', async () => {
    const { clock, client, b, close } = await makeBehind();
    await clock.advanceAsync(2_000);
    const { sid } = client.take('CREATE_CHANNEL');
    await client.steer(sid, await client.initMonitor(sid), 0x44);
    client.heard.length = 0;
    b.post({ value: 9 });
    b.finish();
    b.close();
    await clock.advanceAsync(100);
    expect(valuesOf(client)).toMatchObject([{ value: 9 }]);
    expect(client.takeAll('DESTROY_CHANNEL')).toHaveLength(1);
    await close();
  });
});

describe('a server that is ending', () => {
  test('starts no worker in the place of one that ends then, and waits for none', async () => {
    const { clock, server, connect, workersOf, processes, close } = await makeCrew({ pvs: { x: scalarPv() } });
    await connect();
    const [first, second] = workersOf();
    first?.kill();
    second?.farPipe.pause();
    let isOver = false;
    const over = server.drain(1_000).then(() => (isOver = true));
    second?.kill();
    await clock.advanceAsync(200);
    expect([isOver, processes.startedCount]).toEqual([true, 2]);
    await over;
    await close();
  });
});
