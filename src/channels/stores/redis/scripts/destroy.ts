// How does a channel cease to be?

import { redisScript } from './redis-script.ts';

export const destroyScript = redisScript(`
-- KEYS[1]  the channel
-- ARGV[1]  the id of this act
-- ARGV[2]  the topic of changes
-- returns  1, or 0 if there was none
if not redis.call('HGET', KEYS[1], 'definition') then return 0 end
redis.call('DEL', KEYS[1])
redis.pcall('PUBLISH', ARGV[2], 'destroyed ' .. ARGV[1] .. ' ' .. #KEYS[1] .. '\\n' .. KEYS[1])
return 1
`);
