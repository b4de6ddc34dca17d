// What is a channel now, unless it is as the reader knows it?

import { redisScript } from './redis-script.ts';

export const readScript = redisScript(`
-- KEYS[1]  the channel
-- ARGV[1]  the digest of the definition that the reader knows; '' for none
-- ARGV[2]  the id of the last act on the channel that the reader knows
-- returns  { 'same' }, or all its fields as { field, bytes, field, bytes, ... }; {} if there is no such channel
if ARGV[1] ~= '' then
  local found = redis.call('HMGET', KEYS[1], 'digest', 'last')
  if found[1] == ARGV[1] and found[2] == ARGV[2] then return { 'same' } end
end
return redis.call('HGETALL', KEYS[1])
`);
