// How does a channel come to be, and how does its definition change?

import { redisScript } from './redis-script.ts';

/** Leaves come as field, bytes, field, bytes; in pieces, because `unpack` fills a stack of 8 000. */
const SET_LEAVES = `
local unpack = table.unpack or unpack
local function setLeaves(from)
  for first = from, #ARGV, 1000 do
    redis.call('HSET', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
  end
end
`;

export const defineScript = redisScript(`
-- KEYS[1]  the channel
-- ARGV[1]  its definition
-- ARGV[2]  the digest of its definition
-- ARGV[3]  the id of this act
-- ARGV[4]  the topic of changes
-- ARGV[5]  field, ARGV[6] bytes, ...: leaves of its first value
-- returns  { 'created' }; { 'found', the definition that there is }; { 'foreign' } for a hash that is not ours
${SET_LEAVES}
local found = redis.call('HGET', KEYS[1], 'definition')
if found then return { 'found', found } end
if #redis.call('HGETALL', KEYS[1]) > 0 then return { 'foreign' } end
redis.call('HSET', KEYS[1], 'definition', ARGV[1], 'digest', ARGV[2], 'revision', '0', 'made', ARGV[3],
  'last', ARGV[3])
setLeaves(5)
redis.pcall('PUBLISH', ARGV[4], 'defined ' .. ARGV[3] .. ' ' .. #KEYS[1] .. '\\n' .. KEYS[1])
return { 'created' }
`);

export const replaceScript = redisScript(`
-- KEYS[1]  the channel
-- ARGV[1]  its new definition
-- ARGV[2]  the digest of its new definition
-- ARGV[3]  the id of this act
-- ARGV[4]  the topic of changes
-- ARGV[5]  the digest of the definition that it has
-- ARGV[6]  'keep' its state, or 'reset' it
-- ARGV[7]  field, ARGV[8] bytes, ...: leaves of its first value, if it is reset
-- returns  { 'replaced' }, or { 'found', its definition or false } when it is not as expected
${SET_LEAVES}
if redis.call('HGET', KEYS[1], 'digest') ~= ARGV[5] then
  return { 'found', redis.call('HGET', KEYS[1], 'definition') }
end
if ARGV[6] == 'reset' then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'revision', '0', 'made', ARGV[3])
  setLeaves(7)
end
redis.call('HSET', KEYS[1], 'definition', ARGV[1], 'digest', ARGV[2], 'last', ARGV[3])
redis.pcall('PUBLISH', ARGV[4], 'defined ' .. ARGV[3] .. ' ' .. #KEYS[1] .. '\\n' .. KEYS[1])
return { 'replaced' }
`);

export const restoreScript = redisScript(`
-- Puts back a channel that a store has lost as a whole. What was written since stays as it is.
-- KEYS[1]  the channel
-- ARGV[1]  its definition
-- ARGV[2]  the digest of its definition
-- ARGV[3]  the id of this act, which begins with 'restore'
-- ARGV[4]  the topic of changes
-- ARGV[5]  its revision
-- ARGV[6]  the id of the act that made it
-- ARGV[7]  field, ARGV[8] bytes, ...: its leaves
-- returns  1 if it was put back, 0 if what there is stays
${SET_LEAVES}
local found = redis.call('HMGET', KEYS[1], 'definition', 'digest', 'revision', 'last')
if found[1] then
  local act = string.match(found[4] or '', '^%a+:')
  local isWritten = act ~= 'define:' and act ~= 'restore:'
  if isWritten or found[2] ~= ARGV[2] or tonumber(found[3]) >= tonumber(ARGV[5]) then return 0 end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'definition', ARGV[1], 'digest', ARGV[2], 'revision', ARGV[5], 'made', ARGV[6],
  'last', ARGV[3])
setLeaves(7)
redis.pcall('PUBLISH', ARGV[4], 'defined ' .. ARGV[3] .. ' ' .. #KEYS[1] .. '\\n' .. KEYS[1])
return 1
`);
