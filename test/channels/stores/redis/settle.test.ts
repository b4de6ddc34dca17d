// Does a writer that lost its connection hear the truth about its writes, however often it has to ask?

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { settleScript } from '../../../../src/channels/stores/redis/scripts/write.ts';
import { openRedisStore } from '../../../../src/channels/stores/redis/redis-store.ts';
import type { ChannelStore } from '../../../../src/channels/stores/channel-store.ts';
import { double, structure } from '../../../../src/protocol/types/type-desc.ts';
import type { StructureValue } from '../../../../src/protocol/types/value-of.ts';
import { coercePartial } from '../../../../src/protocol/values/coerce.ts';
import { RedisServer } from '../../../support/redis-server.ts';

const TYPE = structure({ value: double });
const KEY_PATTERN = 'pvkit:*pv*';

let redis: RedisServer;
let store: ChannelStore;
let key = '';

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(async () => {
  await redis.close();
});

beforeEach(async () => {
  redis.cli('flushall');
  store = await openRedisStore(redis.url);
  await store.define({ name: 'pv', type: TYPE, settings: {} });
  key = redis.cli('keys', KEY_PATTERN);
  return () => store.close();
});

it('says twice the same of a write that came to nothing: the first answer may have been lost, too', () => {
  redis.cli('hset', key, 'w:me', '100:7');
  expect(settle(200)).toEqual([100, 7]);
  expect(settle(200)).toEqual([100, 7]);
  // An older question that comes late changes nothing.
  expect(settle(150)).toEqual([100, 7]);
  expect(redis.cli('hget', key, 'w:me')).toBe('100:7/200');
});

it('says so of a writer that has never written, and of a channel that is gone', () => {
  expect(settle(7)).toEqual([0, 0]);
  expect(settle(7)).toEqual([0, 0]);
  redis.cli('del', key);
  expect(settle(7)).toEqual([0, 0]);
});

it('lets the writer go on with numbers past what it has settled, and not before', async () => {
  const revision = await store.write('pv', update(1));
  const [field = '', number = ''] = ownNumbers();
  const later = String(Number.parseInt(number, 10) + 10_000_000_000);
  redis.cli('eval', settleScript.lua, '1', key, field.slice(2), later);
  // As long as the numbers of this object are below that, they are refused, and sent again in vain.
  await expect(store.write('pv', update(2))).rejects.toMatchObject({ reason: 'STORE_AWAY' });
  redis.cli('hset', key, field, `${number}/${Number.parseInt(number, 10)}`);
  expect(await store.write('pv', update(3))).toBe(revision + 1);
  expect(ownNumbers()[1]).toMatch(/^\d+:2$/u);
});

it('says the revision of the write that it is asked for, also if others have written since', async () => {
  await store.write('pv', update(1));
  const [field = '', text = ''] = ownNumbers();
  const [number = ''] = text.split(':');
  const other = await openRedisStore(redis.url);
  await other.write('pv', update(2));
  await other.close();
  const answer = redis.cli('eval', settleScript.lua, '1', key, field.slice(2), number).split('\n');
  expect(answer).toEqual([number, '1']);
});

function settle(number: number): readonly number[] {
  return redis.cli('eval', settleScript.lua, '1', key, 'me', String(number)).split('\n').map(Number);
}

/** The field of the store that is open, and what it holds. */
function ownNumbers(): readonly string[] {
  const fields = redis.cli('hgetall', key).split('\n');
  const at = fields.findIndex((field) => field.startsWith('w:'));
  return fields.slice(at, at + 2);
}

function update(value: number) {
  const { changed, value: full } = coercePartial(TYPE, { value });
  return { changed, value: full as StructureValue };
}
