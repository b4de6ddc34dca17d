// Does a server send every update that a client takes, squash what it does not, and say so?
import { describe, expect, test } from 'vitest';
import type { Channel, Subscriber } from '../../src/channels/channel.ts';
import { SharedPV, type SharedPVOptions } from '../../src/channels/shared-pv.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { error, OK, STATUS_ERROR, warning } from '../../src/protocol/status.ts';
import { boundedString, double, int, structure } from '../../src/protocol/types/type-desc.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { makeWorld } from '../support/server-world.ts';

const SCALAR = ntScalar(double);
const START = 0x44;
const STOP = 0x04;
const LAST = 0x10;
const ACKNOWLEDGE = 0x80;

async function makeMonitor(pv: SharedPV, request = '', window?: number) {
  const world = await makeWorld({ pvs: { x: pv } });
  const client = await world.validated();
  const sid = await client.createChannel('x');
  const ioid = await client.initMonitor(sid, request, window);
  const steer = (subcommand: number, acknowledged = 0) => client.steer(sid, ioid, subcommand, acknowledged);
  const values = () => client.updates(ioid).map(({ value }) => (value as { value: unknown }).value);
  const post = async (...posts: number[]): Promise<void> => {
    for (const value of posts) pv.post({ value });
    await world.settle();
  };
  return { world, client, sid, ioid, steer, values, post };
}

const makePv = (options: SharedPVOptions<typeof SCALAR> = {}) =>
  new SharedPV(SCALAR, { initial: { value: 0, alarm: { severity: 1 } }, ...options });

describe('a monitor', () => {
  test('is stopped at first; started, it sends the state and then each change', async () => {
    const { client, ioid, steer, post } = await makeMonitor(makePv());
    expect(client.take('MONITOR')).toEqual({
      command: 'MONITOR',
      phase: 'init',
      ioid,
      subcommand: 0x08,
      status: OK,
      type: SCALAR,
    });
    expect(client.heard).toEqual([]);
    await steer(START);
    expect(client.updates(ioid)).toMatchObject([
      { changed: [1, 3], overrun: [], value: { value: 0, alarm: { severity: 1 } } },
    ]);
    await post(1.5);
    expect(client.updates(ioid)).toMatchObject([{ changed: [1], overrun: [], value: { value: 1.5 } }]);
  });

  test('sends one by one what is posted in one turn, as long as the client takes it', async () => {
    const { values, steer, post } = await makeMonitor(makePv());
    await steer(START);
    await post(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    expect(values()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('sends only what its pvRequest selects, and nothing when none of it changed', async () => {
    const pv = makePv();
    const { world, client, ioid, steer } = await makeMonitor(pv, 'field(alarm)');
    client.take('MONITOR');
    await steer(START);
    expect(client.updates(ioid)).toMatchObject([{ changed: [3] }]);
    pv.post({ value: 5 });
    pv.post({ value: 6, alarm: { severity: 2, message: 'high' } });
    pv.post({});
    await world.settle();
    expect(client.updates(ioid)).toMatchObject([
      { changed: [3, 5], value: { alarm: { severity: 2, message: 'high' } } },
    ]);
  });

  test('sends the first update also when nothing was ever set', async () => {
    const { client, ioid, steer } = await makeMonitor(new SharedPV(SCALAR));
    client.take('MONITOR');
    await steer(START);
    expect(client.updates(ioid)).toMatchObject([{ changed: [], value: { value: 0 } }]);
  });

  test('stopped, it queues, squashes what has no room, and tells which fields changed more than once', async () => {
    const pv = makePv();
    const { world, client, ioid, steer } = await makeMonitor(pv, 'record[queueSize=3]field()');
    client.take('MONITOR');
    await steer(START);
    await steer(STOP);
    client.heard.length = 0;
    pv.post({ value: 1 });
    pv.post({ value: 2 });
    pv.post({ value: 3, alarm: { message: 'c' } });
    pv.post({ value: 4 });
    pv.post({ alarm: { status: 2 } });
    await world.settle();
    expect(client.heard).toEqual([]);
    await steer(START);
    expect(client.updates(ioid)).toMatchObject([
      { changed: [1], overrun: [], value: { value: 1 } },
      { changed: [1], overrun: [], value: { value: 2 } },
      { changed: [1, 4, 5], overrun: [1], value: { value: 4, alarm: { message: 'c', status: 2 } } },
    ]);
    expect(world.server.counters.updatesSquashed).toBe(2);
  });

  test('stopped, it queues no more than the limit in bytes, whatever queue its client asked for', async () => {
    hitsLimit('maxMonitorQueueBytes');
    const pv = new SharedPV(ntScalarArray(double), { initial: { value: new Float64Array(1000) } });
    const limits = { ...DEFAULT_LIMITS, maxMonitorQueueBytes: 30_000 };
    const world = await makeWorld({ pvs: { x: pv }, config: { limits } });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.initMonitor(sid, 'record[queueSize=1000]field(value)');
    for (let post = 1; post <= 100; post++) pv.post({ value: new Float64Array(1000).fill(post) });
    await world.settle();
    await client.steer(sid, ioid, START);
    const updates = client.updates(ioid);
    expect(updates).toMatchObject([{ overrun: [] }, { overrun: [] }, { changed: [1], overrun: [1] }]);
    expect(updates.at(-1)?.value).toMatchObject({ value: new Float64Array(1000).fill(100) });
    expect(world.server.counters.updatesSquashed).toBe(98);
  });

  test('the overrun mask names selected fields only', async () => {
    const pv = makePv();
    const { world, client, ioid, steer } = await makeMonitor(pv, 'record[queueSize=2]field(value)');
    client.take('MONITOR');
    for (const value of [1, 2, 3]) pv.post({ value, alarm: { severity: value } });
    await world.settle();
    await steer(START);
    expect(client.updates(ioid)).toMatchObject([
      { changed: [1], overrun: [] },
      { changed: [1], overrun: [1] },
    ]);
  });

  test('the default queue has four places', async () => {
    const { values, steer, post } = await makeMonitor(makePv());
    await post(1, 2, 3, 4, 5, 6);
    await steer(START);
    expect(values()).toEqual([0, 1, 2, 6]);
  });

  test('start and stop may come twice', async () => {
    const { values, steer, post } = await makeMonitor(makePv());
    await steer(STOP);
    await steer(START);
    await steer(START);
    await post(1);
    await steer(STOP);
    await steer(STOP);
    await post(2);
    expect(values()).toEqual([0, 1]);
  });

  test.each(['0x10', 'DESTROY_REQUEST', 'DESTROY_CHANNEL', 'the end of the link'])(
    '%s ends the subscription once',
    async (how) => {
      let watched = 0;
      const pv = makePv({
        onFirstSubscriber: () => {
          watched++;
        },
        onLastUnsubscribe: () => {
          watched--;
        },
      });
      const { world, client, sid, ioid, steer, post } = await makeMonitor(pv);
      await steer(START);
      expect(watched).toBe(1);
      if (how === '0x10') await steer(LAST);
      else if (how === 'DESTROY_REQUEST') await client.send({ command: 'DESTROY_REQUEST', sid, ioid });
      else if (how === 'DESTROY_CHANNEL') await client.send({ command: 'DESTROY_CHANNEL', sid, cid: 1 });
      else client.connection.destroy();
      await world.settle();
      expect(watched).toBe(0);
      expect(pv.subscriberCount).toBe(0);
      client.heard.length = 0;
      await post(1);
      expect(client.heard).toEqual([]);
    },
  );

  test('one subscriber ends, the others go on', async () => {
    const pv = makePv();
    const world = await makeWorld({ pvs: { x: pv } });
    const clients = [await world.validated(), await world.validated(), await world.validated()];
    const monitors = await Promise.all(
      clients.map(async (client) => {
        const sid = await client.createChannel('x');
        const ioid = await client.initMonitor(sid);
        await client.steer(sid, ioid, START);
        client.heard.length = 0;
        return { client, sid, ioid };
      }),
    );
    clients[1]?.connection.destroy();
    await world.settle();
    pv.post({ value: 3 });
    await world.settle();
    expect(monitors.map(({ client, ioid }) => client.updates(ioid).length)).toEqual([1, 0, 1]);
  });

  test('CANCEL_REQUEST stops it', async () => {
    const { client, sid, ioid, steer, values, post } = await makeMonitor(makePv());
    await steer(START);
    await client.send({ command: 'CANCEL_REQUEST', sid, ioid });
    await post(1);
    expect(values()).toEqual([0]);
    await steer(START);
    expect(values()).toEqual([1]);
  });

  test('posts that a handler makes while it is put or watched are seen', async () => {
    const pv = makePv({ onFirstSubscriber: (self) => self.post({ value: 99 }) });
    const { values, steer } = await makeMonitor(pv);
    await steer(START);
    expect(values()).toEqual([0, 99]);
  });

  test('a source that refuses to be watched is an error at INIT', async () => {
    const pv = makePv({
      onFirstSubscriber: () => {
        throw new Error('the camera is off');
      },
    });
    const { client, ioid } = await makeMonitor(pv);
    expect(client.take('MONITOR')).toMatchObject({
      phase: 'init',
      ioid,
      status: { type: STATUS_ERROR, message: 'the camera is off' },
      type: null,
    });
    expect(pv.subscriberCount).toBe(0);
  });
});

describe('pipelining', () => {
  const REQUEST = 'record[pipeline=true,queueSize=4]field()';

  test('sends no more than the window and goes on with an acknowledgement', async () => {
    const { values, steer, post } = await makeMonitor(makePv(), REQUEST, 2);
    await steer(START);
    await post(1, 2, 3);
    expect(values()).toEqual([0, 1]);
    await steer(ACKNOWLEDGE, 1);
    expect(values()).toEqual([2]);
    await steer(ACKNOWLEDGE, 5);
    expect(values()).toEqual([3]);
    await post(4);
    expect(values()).toEqual([4]);
  });

  test('what the window holds back is squashed when the queue is full', async () => {
    const { client, ioid, steer, post } = await makeMonitor(makePv(), REQUEST, 1);
    client.take('MONITOR');
    await steer(START);
    await post(1, 2, 3, 4, 5, 6);
    expect(client.updates(ioid)).toHaveLength(1);
    await steer(ACKNOWLEDGE, 10);
    expect(client.updates(ioid)).toMatchObject([
      { value: { value: 1 }, overrun: [] },
      { value: { value: 2 }, overrun: [] },
      { value: { value: 3 }, overrun: [] },
      { value: { value: 6 }, overrun: [1] },
    ]);
  });

  test('acknowledging and starting may come in one message', async () => {
    const { values, steer } = await makeMonitor(makePv(), REQUEST, 0);
    await steer(START | ACKNOWLEDGE, 1);
    expect(values()).toEqual([0]);
  });

  test('without a first window it warns, and sends nothing before an acknowledgement', async () => {
    const { client, values, steer } = await makeMonitor(makePv(), REQUEST);
    expect(client.take('MESSAGE').text).toContain('pipeline without a first window');
    await steer(START);
    expect(values()).toEqual([]);
    await steer(ACKNOWLEDGE, 2);
    expect(values()).toEqual([0]);
  });

  test('a window without pipeline=true means nothing', async () => {
    const { values, steer, post } = await makeMonitor(makePv(), '', 1);
    await steer(START);
    await post(1, 2);
    expect(values()).toEqual([0, 1, 2]);
  });

  test('a queue size that cannot be is an error, because both sides have to agree on it', async () => {
    const { client } = await makeMonitor(makePv(), 'record[pipeline=true,queueSize=1]field()', 1);
    expect(client.take('MONITOR')).toMatchObject({ phase: 'init', status: { type: STATUS_ERROR } });
  });
});

describe('queue sizes that cannot be had', () => {
  test.each([
    ['1', 'record[queueSize=1]field()', [0, 1, 2, 9]],
    ['text', 'record[queueSize=many]field()', [0, 1, 2, 9]],
  ])('%s gives the default and a warning', async (_, request, expected) => {
    hitsLimit('defaultMonitorQueue');
    const { client, values, steer, post } = await makeMonitor(makePv(), request);
    expect(client.take('MESSAGE').text).toMatch(/^record\._options\.queueSize.*4 is used/);
    await post(1, 2, 3, 4, 9);
    await steer(START);
    expect(values()).toEqual(expected);
  });

  test('more than the most gives the most and a warning', async () => {
    hitsLimit('maxMonitorQueue');
    const { client, values, steer, post } = await makeMonitor(makePv(), 'record[queueSize=5000]field()');
    expect(client.take('MESSAGE').text).toContain('1000 is used');
    await post(...Array.from({ length: 1_200 }, (_, index) => index + 1));
    await steer(START);
    const got = values();
    expect(got).toHaveLength(1_000);
    expect(got.at(-1)).toBe(1_200);
  });
});

describe('finish', () => {
  test('sends the rest of the queue and then the status, whatever the window', async () => {
    const pv = makePv();
    const { world, client, ioid, steer } = await makeMonitor(pv, 'record[pipeline=true,queueSize=4]field()', 1);
    await steer(START);
    pv.post({ value: 1 });
    pv.post({ value: 2 });
    pv.finish(warning('that was all'));
    pv.post({ value: 3 });
    await world.settle();
    const messages = client.takeAll('MONITOR').slice(1);
    expect(messages.map((message) => message.phase)).toEqual(['update', 'update', 'update', 'final']);
    expect(messages.at(-1)).toMatchObject({ ioid, subcommand: LAST, status: warning('that was all'), update: null });
    expect(pv.subscriberCount).toBe(0);
    // The operation is gone.
    await steer(START);
    expect(client.heard).toEqual([]);
    expect(world.server.counters.unknownIds).toBe(1);
  });

  test('waits for the start', async () => {
    const pv = makePv();
    const { client, steer } = await makeMonitor(pv);
    client.take('MONITOR');
    pv.finish(error('gone'));
    await steer(START);
    expect(client.takeAll('MONITOR').map((message) => message.phase)).toEqual(['update', 'final']);
  });

  test('a value that no wire takes ends the subscription with an error, and not the poster', async () => {
    const type = structure({ label: boundedString(3), n: int });
    const pv = new SharedPV(type, { initial: { label: 'abc' } });
    const { world, client, steer } = await makeMonitor(pv);
    client.take('MONITOR');
    await steer(START);
    client.heard.length = 0;
    const { changed } = pv.state;
    pv.post({ changed, value: { label: 'too long', n: 0 } });
    await world.settle();
    expect(client.take('MONITOR')).toMatchObject({ phase: 'final', status: { type: STATUS_ERROR } });
    expect(client.isClosed).toBe(false);
  });
});

describe('a client that does not keep up', () => {
  const BIG = ntScalarArray(double);
  const ELEMENTS = 8_000;

  test('gets squashed updates, always ends with the last value, and memory stays bounded', async () => {
    hitsLimit('monitorPauseBytes');
    const pv = new SharedPV(BIG, { initial: { value: new Float64Array(ELEMENTS) } });
    const world = await makeWorld({ pvs: { x: pv } }, { bytesPerMs: 10_000, chunkBytes: [16_384, 65_536] });
    const client = await world.validated();
    const sid = await client.createChannel('x');
    const ioid = await client.initMonitor(sid);
    await client.steer(sid, ioid, START);
    const taken: number[] = [];
    const overruns: number[] = [];
    const take = (): void => {
      for (const { value, overrun } of client.updates(ioid)) {
        taken.push((value as { value: Float64Array }).value[0] ?? -1);
        overruns.push(overrun.length);
      }
    };
    // 64 KB a millisecond are posted, 10 KB go.
    for (let step = 1; step <= 60; step++) {
      pv.post({ value: new Float64Array(ELEMENTS).fill(step) });
      await world.clock.advanceAsync(1);
      take();
    }
    await world.clock.advanceAsync(200);
    take();
    expect(taken.at(-1)).toBe(60);
    expect(taken.length).toBeLessThan(40);
    expect([...taken].toSorted((a, b) => a - b)).toEqual(taken);
    expect(overruns.some((count) => count > 0)).toBe(true);
    expect(world.server.counters.updatesSquashed).toBeGreaterThan(20);
  });

  test('does not keep others from getting every update', async () => {
    const pv = new SharedPV(BIG, { initial: { value: new Float64Array(ELEMENTS) } });
    const world = await makeWorld({ pvs: { x: pv } });
    const slow = await world.validated();
    const quick = await world.validated();
    const ioids: number[] = [];
    for (const client of [slow, quick]) {
      const sid = await client.createChannel('x');
      const ioid = await client.initMonitor(sid);
      ioids.push(ioid);
      await client.steer(sid, ioid, START);
      client.heard.length = 0;
    }
    slow.connection.pause();
    for (let step = 1; step <= 50; step++) {
      pv.post({ value: new Float64Array(ELEMENTS).fill(step) });
      await world.settle();
    }
    expect(quick.updates(ioids[1] ?? 0)).toHaveLength(50);
    slow.connection.resume();
    await world.clock.advanceAsync(10);
    const late = slow.updates(ioids[0] ?? 0);
    expect(late.length).toBeLessThan(20);
    expect(late.at(-1)).toMatchObject({ value: { value: new Float64Array(ELEMENTS).fill(50) } });
  });
});

test('any channel of any source can be watched', async () => {
  const subscribers: Subscriber[] = [];
  const state = new SharedPV(SCALAR, { initial: { value: 1 } }).state;
  const channel: Channel = {
    type: SCALAR,
    state,
    isClosed: false,
    put: () => undefined,
    call: () => null,
    subscribe: (subscriber) => {
      subscribers.push(subscriber);
      return () => undefined;
    },
    onClosed: () => () => undefined,
  };
  const source = { has: () => true, open: () => channel, names: () => [], revision: 0 };
  const world = await makeWorld({ sources: [source] });
  const client = await world.validated();
  const sid = await client.createChannel('whatever');
  const ioid = await client.initMonitor(sid);
  await client.steer(sid, ioid, START);
  client.take('MONITOR');
  expect(client.heard).toEqual([]);
  // A source may have its first value later, and its end before anybody starts.
  subscribers[0]?.update(state);
  subscribers[0]?.finish(OK);
  subscribers[0]?.finish(error('twice'));
  subscribers[0]?.update(state);
  await world.settle();
  expect(client.takeAll('MONITOR')).toMatchObject([{ phase: 'update' }, { phase: 'final', status: OK }]);
});

describe('handlers of subscriptions', () => {
  test('one that throws at the end of the last is noticed; the link and its other subscriptions end all the same', async () => {
    const onLastUnsubscribe = (): never => {
      throw new Error('the device is gone');
    };
    const [bad, good] = [makePv({ onLastUnsubscribe }), makePv()];
    const world = await makeWorld({ pvs: { bad, good } });
    const client = await world.validated();
    for (const pvName of ['bad', 'good']) await client.initMonitor(await client.createChannel(pvName));
    expect([bad.subscriberCount, good.subscriberCount]).toEqual([1, 1]);
    client.connection.destroy();
    await world.settle();
    expect([bad.subscriberCount, good.subscriberCount, world.server.linkCount]).toEqual([0, 0, 0]);
    const faults = world.notices.filter(({ level }) => level === 'error');
    expect(faults.map(({ text }) => text.replace(/^client \S+: /, ''))).toEqual([
      'fault of this server: bad: the end of a subscription threw: the device is gone',
    ]);
  });

  test('one that ends the PV at the first leaves no subscription behind', async () => {
    const { client } = await makeMonitor(makePv({ onFirstSubscriber: (pv) => pv.close() }));
    expect(client.takeAll('DESTROY_CHANNEL')).toHaveLength(1);
    expect(client.take('MONITOR')).toMatchObject({
      status: { type: STATUS_ERROR, message: 'x has ended' },
      type: null,
    });
  });
});
