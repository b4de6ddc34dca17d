// Is a write acknowledged if and only if it took effect, and is no change believed that does not follow on what is known?

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import type { ChannelStore } from '../../../../src/channels/stores/channel-store.ts';
import { openRedisStore } from '../../../../src/channels/stores/redis/redis-store.ts';
import { eventually, POINT, pointOf, Recorder } from '../../../../src/channels/stores/suite/suite-support.ts';
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
