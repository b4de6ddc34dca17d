// Is this store one of ours, and is it the one that we knew?

import { redisScript } from './redis-script.ts';

export const openScript = redisScript(`
-- KEYS[1]  the store's own hash
-- ARGV[1]  the format that we write
-- ARGV[2]  an id for the store if it has none, because it is empty
-- ARGV[3]  the topic of changes
-- returns  { format, id }; { 'silent', why } where this user may not publish
-- Nothing is said: whether something may be is to turn out now, and not with the first write.
local told = redis.pcall('PUBLISH', ARGV[3], '')
if type(told) == 'table' and told.err then return { 'silent', told.err } end
local found = redis.call('HMGET', KEYS[1], 'format', 'id')
if found[1] then return found end
redis.call('HSET', KEYS[1], 'format', ARGV[1], 'id', ARGV[2])
return { ARGV[1], ARGV[2] }
`);
