// What does the redis store do when something goes wrong: connections lost, a Redis that hangs or comes back empty,
// foreign and damaged data? On a real Redis, which the tests stop, kill and restart.
import { afterEach, describe, expect, it } from 'vitest';
import type { ChannelStore } from '../../../src/channels/stores/channel-store.ts';
import { openRedisStore } from '../../../src/channels/stores/redis/redis-store.ts';
import { eventually, pointOf, POINT, Recorder } from '../../../src/channels/stores/suite/suite-support.ts';
import { StoreError } from '../../../src/channels/stores/store-error.ts';
import { freePort, RedisServer, type RedisServerOptions } from '../../support/redis-server.ts';

const opened: ChannelStore[] = [];
const servers: RedisServer[] = [];

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  for (const server of servers.splice(0)) await server.close();
});

async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const redis = await RedisServer.start(options);
  servers.push(redis);
  return redis;
}

async function openStore(redis: RedisServer, warnings: string[] = []): Promise<ChannelStore> {
  const store = await openRedisStore(redis.url, { onWarning: (text) => warnings.push(text) });
  opened.push(store);
  return store;
}

const define = (store: ChannelStore, name = 'a') =>
  store.define({ name, type: POINT, settings: {} }, pointOf({ x: 1 }));

/** What it was refused with, as `reason: message`. */
async function refusal(act: Promise<unknown>): Promise<string> {
  const thrown = await act.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof StoreError)) throw new Error(`a StoreError was expected, not ${String(thrown)}`);
  return `${thrown.reason}: ${thrown.message}`;
}

describe('the redis store, when its Redis', () => {
  it('is not there, says so without the password', async () => {
    const port = await freePort();
    const opening = openRedisStore(`redis://user:geheim@127.0.0.1:${port}/0`);
    const why = await refusal(opening);
    expect(why).toMatch(/^STORE_AWAY: .*ECONNREFUSED/u);
    expect(why).not.toContain('geheim');
  });

  it('wants another password, says so', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'geheim'] });
    expect(await refusal(openRedisStore(redis.url))).toMatch(/^STORE_AWAY: /u);
    await expect(openRedisStore(`redis://:falsch@127.0.0.1:${redis.port}`)).rejects.toThrow(/WRONGPASS/u);
    const store = await openRedisStore(`redis://:geheim@127.0.0.1:${redis.port}`);
    opened.push(store);
    expect(store.location).toBe(`redis://127.0.0.1:${redis.port}/0`);
  });

  it('is lost and comes back, refuses writes meanwhile, and then has what others wrote', async () => {
    const redis = await startRedis({ appendOnly: true });
    const store = await openStore(redis);
    const recorder = new Recorder();
    store.watch(recorder);
    await define(store);
    await store.write('a', pointOf({ x: 2 }));
    await redis.kill();
    await eventually('it notices', () => !store.health.isConnected);
    expect(store.health.reason).toBeDefined();
    expect(await refusal(store.write('a', pointOf({ x: 3 })))).toMatch(/^STORE_AWAY: /u);
    await redis.start();
    await eventually('it is back', () => store.health.isConnected);
    expect(await store.write('a', pointOf({ y: 4 }))).toBe(2);
    expect(recorder.valueOf('a')).toEqual({ x: 2, y: 4, note: '' });
    expect((await store.read('a'))?.state.value).toEqual({ x: 2, y: 4, note: '' });
  });

  it('hangs, answers a write before a client gives up, and nothing of it is written later', async () => {
    const redis = await startRedis();
    const store = await openStore(redis);
    const other = await openStore(redis);
    const recorder = new Recorder();
    other.watch(recorder);
    await define(store);
    redis.pause();
    const start = performance.now();
    expect(await refusal(store.write('a', pointOf({ x: 3 })))).toMatch(/^STORE_UNCERTAIN: /u);
    expect(performance.now() - start).toBeLessThan(4_000);
    redis.resume();
    await eventually('it is back', () => store.health.isConnected);
    expect(await store.write('a', pointOf({ y: 4 }))).toBe(1);
    await eventually('the other hears', () => recorder.valueOf('a') !== undefined);
    expect(recorder.valueOf('a')).toEqual({ x: 1, y: 4, note: '' });
  });

  it('drops the connection that hears of changes, reads what it missed', async () => {
    const redis = await startRedis();
    const [store, other] = [await openStore(redis), await openStore(redis)];
    const recorder = new Recorder();
    other.watch(recorder);
    await define(store);
    await define(store, 'gone');
    await eventually('both are defined', () => recorder.events.length === 2);
    await store.write('a', pointOf({ x: 2 }));
    await eventually('the first change', () => recorder.events.includes('changed a 1'));
    redis.cli('client', 'kill', 'type', 'pubsub');
    await store.write('a', pointOf({ x: 3 })).catch(() => undefined);
    await eventually('the writer is back', () => store.health.isConnected);
    await store.write('a', pointOf({ y: 7 }));
    await store.destroy('gone');
    await define(store, 'new');
    await eventually(
      'all is told',
      () => recorder.events.includes('defined new 0') && recorder.events.includes('destroyed gone'),
    );
    await eventually('the value', () => recorder.valueOf('a')?.['y'] === 7);
    expect(recorder.valueOf('a')).toEqual((await store.read('a'))?.state.value);
    const revisions = recorder.changes.filter(({ name }) => name === 'a').map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted((one, two) => one - two));
  });

  it('is full, says so once until there is room again, and keeps its connections', async () => {
    const redis = await startRedis();
    const store = await openStore(redis);
    await define(store);
    await store.nodes?.join(() => ({ address: 'here', channelCount: 1, linkCount: 0 }));
    const told: boolean[] = [];
    store.watch({ defined() {}, destroyed() {}, changed() {}, health: ({ isConnected }) => told.push(isConnected) });
    const connections = (): string | undefined =>
      /total_connections_received:(\d+)/u.exec(redis.cli('info', 'stats'))?.[1];
    redis.cli('config', 'set', 'maxmemory', '1');
    await eventually('it is shown', () => !store.health.isConnected);
    expect(store.health.reason).toMatch(/^it answered: OOM /u);
    expect(await refusal(store.write('a', pointOf({ x: 3 })))).toMatch(/^STORE_AWAY: .*OOM /u);
    const before = Number(connections());
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect(told).toEqual([false]);
    // That of the question itself.
    expect(Number(connections())).toBe(before + 1);
    redis.cli('config', 'set', 'maxmemory', '0');
    await eventually('it takes writes again', () => store.health.isConnected);
    expect(store.health.reason).toBeUndefined();
    expect(told).toEqual([false, true]);
    expect(await store.write('a', pointOf({ x: 4 }))).toBe(1);
  });

  it('forgets its scripts, sends them again', async () => {
    const redis = await startRedis();
    const store = await openStore(redis);
    await define(store);
    await store.write('a', pointOf({ x: 2 }));
    redis.cli('script', 'flush');
    const written = await Promise.all([3, 4, 5].map((x) => store.write('a', pointOf({ x }))));
    expect(new Set(written)).toEqual(new Set([2, 3, 4]));
  });

  it('comes back empty, puts back what was acknowledged and says so', async () => {
    const redis = await startRedis();
    const warnings: string[] = [];
    const [store, other] = [await openStore(redis, warnings), await openStore(redis)];
    const [recorder, second] = [new Recorder(), new Recorder()];
    store.watch(recorder);
    other.watch(second);
    await define(store);
    await store.write('a', pointOf({ x: 42 }));
    await eventually('the other knows', () => second.events.includes('changed a 1'));
    await redis.kill();
    await eventually('both notice', () => !store.health.isConnected && !other.health.isConnected);
    await redis.start();
    await eventually('it is put back', () => warnings.length > 0 && other.health.isConnected);
    expect(warnings[0]).toContain('came back without its data');
    await eventually('it can be written', () => store.health.isConnected);
    const fresh = await openStore(redis);
    expect((await fresh.read('a'))?.state.value).toEqual({ x: 42, y: 0, note: '' });
    expect(await store.write('a', pointOf({ y: 1 }))).toBe(2);
    expect(recorder.events.filter((event) => event.startsWith('destroyed'))).toEqual([]);
    expect(second.events.filter((event) => event.startsWith('destroyed'))).toEqual([]);
  });
});

describe('the redis store, when its Redis loses its data on connections that go on', () => {
  async function openTwo() {
    const redis = await startRedis();
    const warnings: string[] = [];
    const stores = [await openStore(redis, warnings), await openStore(redis, warnings)] as const;
    const recorders = stores.map((store) => {
      const recorder = new Recorder();
      store.watch(recorder);
      return recorder;
    });
    await define(stores[0]);
    await stores[0].write('a', pointOf({ x: 42 }));
    await eventually('both know', () => recorders.every(({ events }) => events.includes('changed a 1')));
    return { redis, warnings, stores, recorders };
  }

  const KNOWN = ['defined a 0', 'changed a 1'];

  it('has it again after a second, and its clients see nothing of it', async () => {
    const { redis, warnings, stores, recorders } = await openTwo();
    redis.cli('flushall');
    await eventually('it is put back', () => redis.cli('exists', 'pvkit:channel:a') === '1');
    await eventually('both have looked', () => warnings.length === 2);
    expect(warnings[0]).toContain('came back without its data');
    const fresh = await openStore(redis);
    expect(await fresh.read('a')).toMatchObject({ revision: 1, state: { value: { x: 42, y: 0, note: '' } } });
    for (const store of stores) await eventually('it is connected', () => store.health.isConnected);
    expect(recorders.map(({ events }) => events)).toEqual([KNOWN, KNOWN]);
  });

  it('refuses a put that comes before that, forgets nothing, and takes the next one', async () => {
    const { redis, stores, recorders } = await openTwo();
    redis.cli('flushall');
    const [store] = stores;
    expect(await refusal(store.write('a', pointOf({ y: 1 })))).toMatch(/^STORE_AWAY: .*: it has lost its data$/u);
    await eventually('it is back', () => store.health.isConnected);
    expect(await store.write('a', pointOf({ y: 2 }))).toBe(2);
    await eventually('both know', () => recorders.every(({ events }) => events.includes('changed a 2')));
    expect(recorders.map(({ events }) => events)).toEqual([
      [...KNOWN, 'changed a 2'],
      [...KNOWN, 'changed a 2'],
    ]);
    expect(recorders[1]?.valueOf('a')).toEqual({ x: 42, y: 2, note: '' });
  });

  it('puts it back over what a server that is started then defines', async () => {
    const { redis, recorders } = await openTwo();
    redis.cli('flushall');
    const late = await openStore(redis);
    const recorder = new Recorder();
    late.watch(recorder);
    expect(await define(late)).toBe('created');
    await eventually('it is put back', () => recorder.events.includes('defined a 1'));
    expect(await late.read('a')).toMatchObject({ revision: 1, state: { value: { x: 42, y: 0, note: '' } } });
    expect(await late.write('a', pointOf({ y: 3 }))).toBe(2);
    for (const each of recorders) await eventually('all know', () => each.events.includes('changed a 2'));
    expect(recorders.map(({ events }) => events)).toEqual([
      [...KNOWN, 'changed a 2'],
      [...KNOWN, 'changed a 2'],
    ]);
  });

  it('does so where something else is in its place', async () => {
    const { redis, warnings, stores } = await openTwo();
    redis.cli('flushall');
    redis.cli('set', 'pvkit:store', 'mine');
    await eventually('it is known', () => warnings.some((text) => text.includes("'pvkit:store' is a string")));
    expect(await refusal(stores[0].write('a', pointOf({ x: 1 })))).toMatch(/^STORE_AWAY: /u);
    redis.cli('del', 'pvkit:store');
    await eventually('it is put back', () => redis.cli('exists', 'pvkit:channel:a') === '1');
  });
});

describe('the redis store, where what it finds', () => {
  it('is a key of another type, names it and leaves it', async () => {
    const redis = await startRedis();
    const store = await openStore(redis);
    redis.cli('rpush', 'pvkit:channel:a', 'mine');
    const wrong = /^STORE_FORMAT: .*'pvkit:channel:a' is a list/u;
    expect(await refusal(define(store))).toMatch(wrong);
    expect(await refusal(store.read('a'))).toMatch(wrong);
    expect(await refusal(store.write('a', pointOf({ x: 1 })))).toMatch(wrong);
    expect(await refusal(store.destroy('a'))).toMatch(wrong);
    expect(redis.cli('lrange', 'pvkit:channel:a', '0', '-1')).toBe('mine');
  });

  it('is a hash of somebody else, names it and leaves it', async () => {
    const redis = await startRedis();
    const store = await openStore(redis);
    redis.cli('hset', 'pvkit:channel:a', 'colour', 'red');
    expect(await refusal(define(store))).toMatch(/^STORE_FORMAT: /u);
    expect(redis.cli('hgetall', 'pvkit:channel:a')).toBe('colour\nred');
  });

  it('is of a newer format, refuses it', async () => {
    const redis = await startRedis();
    redis.cli('hset', 'pvkit:store', 'format', '2', 'id', 'x');
    expect(await refusal(openRedisStore(redis.url))).toMatch(/^STORE_FORMAT: .*format 2/u);
  });

  it('is a value that does not fit its definition, names channel and leaf', async () => {
    const redis = await startRedis();
    const store = await openStore(redis);
    await define(store);
    redis.cli('hset', 'pvkit:channel:a', '.x', 'short');
    const fresh = await openStore(redis);
    const wrong = /^STORE_FORMAT: .*'a'.*'x'/u;
    expect(await refusal(fresh.read('a'))).toMatch(wrong);
    expect(await refusal(fresh.write('a', pointOf({ y: 1 })))).toMatch(wrong);
  });

  it('has another definition than the writer knows, refuses the write', async () => {
    const redis = await startRedis();
    const store = await openStore(redis);
    await define(store);
    redis.cli('hset', 'pvkit:channel:a', 'digest', 'of another definition');
    expect(await refusal(store.write('a', pointOf({ x: 5 })))).toMatch(/^DEFINITION_CONFLICT: /u);
    expect((await store.read('a'))?.state.value).toEqual({ x: 1, y: 0, note: '' });
  });
});
