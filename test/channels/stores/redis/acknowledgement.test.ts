// Is a write acknowledged if and only if it took effect, and is no change believed that does not follow on what is known?

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import type { ChannelStore, StoredChannel } from '../../../../src/channels/stores/channel-store.ts';
import { openRedisStore } from '../../../../src/channels/stores/redis/redis-store.ts';
import { bitsOf, eventually, POINT, pointOf, Recorder } from '../../../../src/channels/stores/suite/suite-support.ts';
import { RedisServer } from '../../../support/redis-server.ts';

const KEY = 'pvkit:channel:a';

let redis: RedisServer;
let store: ChannelStore;
let recorder: Recorder;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(async () => {
  await redis.close();
});

beforeEach(async () => {
  redis.cli('flushall');
  store = await openRedisStore(redis.url);
  await store.define({ name: 'a', type: POINT, settings: {} }, pointOf({ x: 1 }));
  recorder = new Recorder();
  store.watch(recorder);
});

afterEach(async () => {
  redis.cli('acl', 'setuser', 'default', '+publish');
  await store.close();
});

it('acknowledges a write that took effect, though nobody could be told of it', async () => {
  redis.cli('acl', 'setuser', 'default', '-publish');
  expect(await store.write('a', pointOf({ x: 2 }))).toBe(1);
  expect(recorder.events).toEqual(['changed a 1']);
  expect((await store.read('a'))?.state.value['x']).toBe(2);
});

it('is not opened by somebody who may not tell others of changes', async () => {
  redis.cli('acl', 'setuser', 'silent', 'on', '>secret', '~*', '&*', '+@all', '-publish');
  const url = redis.url.replace('redis://', 'redis://silent:secret@');
  await expect(openRedisStore(url)).rejects.toThrow(/it does not let this user publish to 'pvkit:changes': /u);
});

it('reads a channel again for a change that does not follow on the last one, such as one of a channel before it', async () => {
  // By its revision it would come next; its bytes are those of a double.
  const leaves = 'xAAAAAAAA';
  const header = `changed other:5 define:other:1 1 0 ${KEY.length} ${leaves.length} 1 8`;
  redis.cli('publish', 'pvkit:changes', `${header}\n${KEY}${leaves}`);
  expect(await store.write('a', pointOf({ y: 3 }))).toBe(1);
  expect(recorder.events).toEqual(['changed a 1']);
  expect(recorder.valueOf('a')).toEqual({ x: 1, y: 3, note: '' });
});

it('tells that a channel begins anew when Redis has gone back in time, and goes on from there', async () => {
  for (let y = 1; y <= 3; y++) await store.write('a', pointOf({ y }));
  const before = redis.cli('hget', KEY, 'made');
  // As after a crash that lost the last writes: what is there now is older, and the connection was lost meanwhile.
  redis.cli('hset', KEY, 'revision', '1', 'last', 'other:1', '.note', '\u0003old');
  redis.cli('client', 'kill', 'type', 'pubsub');
  await eventually('it is known', () => recorder.events.includes('defined a 1'));
  expect(recorder.events).toEqual(['changed a 1', 'changed a 2', 'changed a 3', 'destroyed a', 'defined a 1']);
  expect(redis.cli('hget', KEY, 'made')).toBe(before);
  expect(await store.write('a', pointOf({ y: 9 }))).toBe(2);
  expect(recorder.events.at(-1)).toBe('changed a 2');
  expect(recorder.valueOf('a')).toMatchObject({ y: 9, note: 'old' });
});

it('shows what Redis has, also where it has gone back by one write and somebody else has written one since', async () => {
  for (let y = 1; y <= 3; y++) await store.write('a', pointOf({ y }));
  redis.cli('hset', KEY, 'revision', '3', 'last', 'other:1', '.note', '\u0003new');
  redis.cli('client', 'kill', 'type', 'pubsub');
  await eventually('it is known', () => recorder.channels.length > 0);
  expect(recorder.events).toEqual(['changed a 1', 'changed a 2', 'changed a 3', 'destroyed a', 'defined a 3']);
  expect(recorder.channels[0]?.state.value).toEqual({ x: 1, y: 3, note: 'new' });
});

it('tells nothing of a channel that was put back as it is known', async () => {
  await store.write('a', pointOf({ y: 1 }));
  redis.cli('hset', KEY, 'last', 'restore:other:1');
  redis.cli('client', 'kill', 'type', 'pubsub');
  await eventually('the loss is known', () => !store.health.isConnected);
  await eventually('it is back', () => store.health.isConnected);
  expect(await store.write('a', pointOf({ y: 2 }))).toBe(2);
  expect(recorder.events).toEqual(['changed a 1', 'changed a 2']);
});

it('tells that a leaf is as at first again, where the write that had set it is lost and others have written since', async () => {
  await store.write('a', pointOf({ note: 'lost' }));
  redis.cli('hdel', KEY, '.note');
  redis.cli('hset', KEY, 'revision', '2', 'last', 'other:2');
  redis.cli('client', 'kill', 'type', 'pubsub');
  await eventually('it is known', () => recorder.events.includes('changed a 2'));
  const update = recorder.changes.at(-1)?.update ?? pointOf({});
  expect(update.value).toEqual({ x: 1, y: 0, note: '' });
  expect(bitsOf(update)).toEqual([1, 3]);
});

it('acknowledges a write when it is shown, also one that is sent as soon as a Redis that has gone back is there', async () => {
  await store.write('a', pointOf({ y: 1 }));
  redis.cli('copy', KEY, 'saved');
  await store.write('a', pointOf({ y: 2 }));
  const written = new Promise<StoredChannel | undefined>((resolve, reject) => {
    store.watch({
      defined: () => undefined,
      destroyed: () => undefined,
      changed: () => undefined,
      health: ({ isConnected }) => {
        if (!isConnected) return;
        const shown = store.write('a', pointOf({ y: 33 })).then(() => recorder.channels.at(-1));
        shown.then(resolve, reject);
      },
    });
  });
  redis.cli('copy', 'saved', KEY, 'replace');
  redis.cli('client', 'kill', 'type', 'pubsub');
  expect(await written).toMatchObject({ revision: 2, state: { value: { y: 33 } } });
});
