// What is one act on the store? A Lua script, which Redis carries out as a whole or not at all.
//
// Every script begins with what its KEYS and ARGV are and what it returns. All keys are in KEYS, and no command is used
// but TIME, HGET, HMGET, HGETALL, HSET, HDEL, DEL and PUBLISH: Dragonfly documents these and needs the keys. The Lua is
// what 5.1 (Redis) and 5.4 (Dragonfly) have in common.

import { createHash } from 'node:crypto';

export interface RedisScript {
  readonly lua: string;
  /** What EVALSHA calls it. */
  readonly sha: string;
}

export function redisScript(lua: string): RedisScript {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}
