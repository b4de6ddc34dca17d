// Is this store one of ours, and is it the one that we knew?

import { redisScript } from './redis-script.ts';

export const openScript = redisScript(`
-- KEYS[1]  the store's own hash
-- ARGV[1]  the format that we write
-- ARGV[2]  an id for the store if it has none, because it is empty
-- returns  { format, id }
local found = redis.call('HMGET', KEYS[1], 'format', 'id')
if found[1] then return found end
redis.call('HSET', KEYS[1], 'format', ARGV[1], 'id', ARGV[2])
return { ARGV[1], ARGV[2] }
`);
