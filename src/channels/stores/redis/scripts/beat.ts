// Which servers are alive? Each says so every second, and hears of the others; what one left behind is removed.

import { redisScript } from './redis-script.ts';

export const beatScript = redisScript(`
-- KEYS[1]  the hash of servers
-- ARGV[1]  the server that is alive, or '' to ask only
-- ARGV[2]  what it says of itself; '' when it leaves
-- ARGV[3]  milliseconds of silence after which a server counts as gone
-- returns  { this server's clock in milliseconds, id, text, id, text, ... of all that are alive }
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] ~= '' and ARGV[2] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], now .. ' ' .. ARGV[2]) end
if ARGV[1] ~= '' and ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) end
local alive = { now }
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local seen, text = string.match(all[i + 1], '^(%d+) (.*)$')
  if seen and now - tonumber(seen) <= tonumber(ARGV[3]) then
    alive[#alive + 1] = all[i]
    alive[#alive + 1] = text
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return alive
`);
