// What does a server make of a store in which somebody has left something that is no channel of ours?

import { afterAll, beforeAll, expect, it } from 'vitest';
import { backupLines } from '../../src/channels/stores/backup.ts';
import { openRedisStore } from '../../src/channels/stores/redis/redis-store.ts';
import { eventually } from '../../src/channels/stores/suite/suite-support.ts';
import type { ChannelDefinition } from '../../src/config/channel-definition.ts';
import { parsePvFlag } from '../../src/config/pv-flag.ts';
import { StoredChannels } from '../../src/server/stored-channels.ts';
import { RedisServer } from '../support/redis-server.ts';

let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(async () => {
  await redis.close();
});

function definition(text: string): ChannelDefinition {
  const parsed = parsePvFlag(text);
  if (!parsed.ok) throw new Error(parsed.wrong);
  return parsed.value;
}

async function serve(words: readonly string[]) {
  const store = await openRedisStore(redis.url);
  const notices: string[] = [];
  const channels = await StoredChannels.open(store, {
    definitions: words.map((text) => definition(text)),
    redefine: true,
    onNotice: (level, text) => notices.push(`${level}: ${text}`),
  });
  const end = async (): Promise<void> => {
    channels.close();
    await store.close();
  };
  return { store, channels, notices, end, names: () => [...channels.names()].toSorted() };
}

it('serves the others, names what it does not serve, and leaves that as it is, also where it is configured', async () => {
  const first = await serve(['lab:x=double:1', 'lab:y=double:2', 'lab:z=double:3']);
  await first.end();
  redis.cli('set', 'pvkit:channel:lab:foreign', 'hello');
  redis.cli('hset', 'pvkit:channel:lab:hash', 'colour', 'red');
  redis.cli('hset', 'pvkit:channel:lab:x', '.value', 'abc');
  redis.cli('del', 'pvkit:channel:lab:z');
  redis.cli('rpush', 'pvkit:channel:lab:z', 'one');
  const before = redis.cli('hgetall', 'pvkit:channel:lab:x');

  const second = await serve(['lab:x=int:1', 'lab:y=double:2', 'lab:z=double:3', 'lab:new=double']);
  expect(second.names()).toEqual(['lab:new', 'lab:y']);
  const left = 'it is left as it is, and is not served';
  expect(second.notices.toSorted()).toEqual([
    expect.stringMatching(
      new RegExp(`^error: channel 'lab:x': the stored leaf 'value' does not fit: .*; ${left}$`, 'u'),
    ),
    `error: the channel 'lab:hash' in the store: it has no field 'definition'; ${left}`,
    `error: the key 'pvkit:channel:lab:foreign' is a string that is not ours; a hash was expected; ${left}`,
    `error: the key 'pvkit:channel:lab:z' is a list that is not ours; a hash was expected; ${left}`,
  ]);
  expect(redis.cli('get', 'pvkit:channel:lab:foreign')).toBe('hello');
  expect(redis.cli('lrange', 'pvkit:channel:lab:z', '0', '-1')).toBe('one');
  expect(redis.cli('hgetall', 'pvkit:channel:lab:x')).toBe(before);

  // Once it is out of the way, whoever defines the channel has it, and all serve it.
  redis.cli('del', 'pvkit:channel:lab:z');
  const third = await serve(['lab:z=double:3']);
  await eventually('both serve it', () => second.channels.has('lab:z') && third.channels.has('lab:z'));
  await second.end();
  await third.end();
});

it('makes no backup without it', async () => {
  redis.cli('flushall');
  redis.cli('set', 'pvkit:channel:lab:foreign', 'hello');
  const { store, end } = await serve([]);
  const lines: string[] = [];
  const writing = (async () => {
    for await (const line of backupLines(store, '2026-01-01T00:00:00.000Z')) lines.push(line);
  })();
  await expect(writing).rejects.toThrow(/'pvkit:channel:lab:foreign' is a string/u);
  expect(lines).toHaveLength(1);
  await end();
});
