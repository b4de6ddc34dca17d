// What does an error of Redis, or of the connection to it, mean for whoever called?

import { reasonOf } from '../../../protocol/errors.ts';
import { StoreError } from '../store-error.ts';
import type { RedisClient } from './redis-client.ts';
import { textIn } from './redis-reply.ts';

/** Replies that say that Redis would if it could: nothing was done, and later it may be. */
const NOT_NOW = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOAUTH',
  'NOPERM',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
]);

/** Whether Redis answered, so that nothing was done; else nobody knows. */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'ReplyError';
}

/** Whether nothing was sent, because the connection had ended: the words of ioredis are all there is to tell it by. */
export function isUnsent(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith("Stream isn't writeable");
}

/** The StoreError for what a command on `key` was rejected with. */
export async function errorOf(thrown: unknown, client: RedisClient, key: string): Promise<StoreError> {
  if (thrown instanceof StoreError) return thrown;
  const reason = reasonOf(thrown);
  return isRefusal(thrown) ? refusalOf(reason, client, key) : away(client.isUp ? reason : client.reason, thrown);
}

/** The StoreError for a refusal of Redis, which begins with its code. */
export async function refusalOf(text: string, client: RedisClient, key: string): Promise<StoreError> {
  // In front of the code of an error inside of a script an older Redis puts its own.
  const code = /^(?:ERR )?-?([A-Z]+)\b/u.exec(text)?.[1] ?? '';
  if (NOT_NOW.has(code)) return away(`it answered: ${text}`);
  if (code !== 'WRONGTYPE') return new StoreError('STORE_FORMAT', `Redis refused the key '${key}': ${text}`);
  const type = await client.call('type', key).then(textIn, () => 'something else');
  return new StoreError('STORE_FORMAT', `the key '${key}' is a ${type} that is not ours; a hash was expected`);
}

export function away(reason: string, cause?: unknown): StoreError {
  return new StoreError('STORE_AWAY', `the store cannot be reached: ${reason}`, { cause });
}
