// How are channels written, and how does a writer that lost its connection find out whether they were?
//
// Each writer numbers its writes by its clock, in microseconds. The hash keeps the number and the revision of the last one
// of each writer, as "<number>:<revision>" in the field w:<writer>; those of an hour ago are removed. A number that is
// not past it is refused: so a writer that asked (settleScript) can be sure that what was still under way comes to
// nothing. Then the field ends with "/<number up to which nothing will take effect>": whoever has to ask twice, because
// the first answer was lost, is to hear the same.
//
// Once a write has taken effect nothing may end the script with an error, which would say that nothing was written: what
// can be refused after that is called with pcall.

import { STORE_LIMITS } from '../../../../protocol/limits.ts';
import { redisScript } from './redis-script.ts';

export const writeScript = redisScript(`
-- Many writes in one call. One that is refused keeps no other from taking effect; the same channel may come twice.
-- KEYS[i]  the channel of write i
-- ARGV[1]  the writer
-- ARGV[2]  when it is too late, in milliseconds of this server's clock
-- ARGV[3]  the topic of changes
-- ARGV[4]  the leaves of all writes: path, bytes, path, bytes, ... with nothing between
-- ARGV[4 + i]  of write i, with a space between: the digest of the definition that the writer knows; the number of the
--          write, which is past all numbers of this writer before; the lengths of its paths and bytes
-- returns  for each write its revision; or 'late', 'missing', 'definition', or an error, when it took no effect
local unpack = table.unpack or unpack
local writer, tooLate, leaves = ARGV[1], tonumber(ARGV[2]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local field = 'w:' .. writer
local results, messages, at = {}, {}, 1

local function newest(numbers)
  return tonumber(string.match(numbers, '/(%d+)$') or string.match(numbers, '^%d+')) or 0
end

local function removeOldWriters(key)
  local all = redis.pcall('HGETALL', key)
  if all.err then return end
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'w:' and newest(all[i + 1]) / 1000 < now - 3600000 then
      redis.pcall('HDEL', key, all[i])
    end
  end
end

local function write(key, digest, number, lengths)
  local from, fields, count = at, {}, 0
  for length in string.gmatch(lengths, '%d+') do
    count = count + 1
    fields[count] = string.sub(leaves, at, at + length - 1)
    if count % 2 == 1 then fields[count] = '.' .. fields[count] end
    at = at + length
  end
  local found = redis.pcall('HMGET', key, 'digest', 'revision', field, 'last')
  if found.err then return found.err end
  if not found[1] then return 'missing' end
  if found[1] ~= digest then return 'definition' end
  if now > tooLate then return 'late' end
  if not found[3] then
    removeOldWriters(key)
  elseif tonumber(number) <= newest(found[3]) then
    return 'late'
  end
  local revision = tonumber(found[2])
  if not revision then return 'its revision is not a number' end
  revision = string.format('%.0f', revision + 1)
  local last = writer .. ':' .. number
  local done = redis.pcall('HSET', key, 'revision', revision, 'last', last, field, number .. ':' .. revision,
    unpack(fields, 1, math.min(count, 1000)))
  if type(done) == 'table' and done.err then return done.err end
  for first = 1001, count, 1000 do
    redis.pcall('HSET', key, unpack(fields, first, math.min(first + 999, count)))
  end
  local order = (found[4] or '-') .. ' ' .. revision .. ' ' .. now
  if at - from > ${STORE_LIMITS.maxToldBytes} then
    messages[#messages + 1] = 'defined ' .. last .. ' ' .. #key .. ' ' .. order .. '\\n' .. key
  else
    messages[#messages + 1] = 'changed ' .. last .. ' ' .. order .. ' ' .. #key .. ' ' .. (at - from) .. ' ' .. lengths
      .. '\\n' .. key .. string.sub(leaves, from, at - 1)
  end
  return tonumber(revision)
end

for i, key in ipairs(KEYS) do
  results[i] = write(key, string.match(ARGV[i + 4], '^(%S+) (%d+) (.*)$'))
end
if #messages > 0 then redis.pcall('PUBLISH', ARGV[3], table.concat(messages)) end
return results
`);

export const settleScript = redisScript(`
-- KEYS[1]  the channel
-- ARGV[1]  the writer
-- ARGV[2]  the number of its latest write to the channel
-- returns  { the number of the last write that took effect, its revision }; { 0, 0 } if there is no such channel.
--          None that is under way will take effect after this.
local found = redis.call('HMGET', KEYS[1], 'revision', 'w:' .. ARGV[1])
if not found[1] then return { 0, 0 } end
local last, revision, settled = string.match(found[2] or '0:0', '^(%d+):?(%d*)/?(%d*)$')
if tonumber(ARGV[2]) > math.max(tonumber(last), tonumber(settled) or 0) then
  redis.call('HSET', KEYS[1], 'w:' .. ARGV[1], last .. ':' .. revision .. '/' .. ARGV[2])
end
return { tonumber(last), tonumber(revision) or tonumber(found[1]) }
`);
