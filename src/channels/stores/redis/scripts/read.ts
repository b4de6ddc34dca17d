// What are some channels now, unless they are as the reader knows them?

import { redisScript } from './redis-script.ts';

export const readScript = redisScript(`
-- KEYS[i]  channel i
-- ARGV[1]  bytes of answers past which the channels that are left are not read
-- ARGV[2], ARGV[4], ...  the digest of the definition that the reader knows of it; '' or left out for none
-- ARGV[3], ARGV[5], ...  the id of the last act on it that the reader knows
-- returns  for each channel a text: 'same'; 'none' if there is no such channel; 'later' if it was not read; 'error ...';
--          or '<bytes of field> <bytes of value> ...' in one line and behind it these fields and values with nothing
--          between. Where a channel before has the same digest, the field 'definition' is '=' in its place.
local left = tonumber(ARGV[1])
local texts, shown = {}, {}

local function read(key, digest, last)
  if digest ~= '' then
    local found = redis.pcall('HMGET', key, 'digest', 'last')
    if not found.err and found[1] == digest and found[2] == last then return 'same' end
  end
  local all = redis.pcall('HGETALL', key)
  if all.err then return 'error ' .. all.err end
  if #all == 0 then return 'none' end
  local isShown = false
  for i = 1, #all, 2 do
    if all[i] == 'digest' then
      isShown = shown[all[i + 1]]
      shown[all[i + 1]] = true
    end
  end
  local lengths, parts = {}, {}
  for i = 1, #all, 2 do
    local field, value = all[i], all[i + 1]
    if string.sub(field, 1, 2) ~= 'w:' then
      if isShown and field == 'definition' then value = '=' end
      parts[#parts + 1] = field
      parts[#parts + 1] = value
      lengths[#lengths + 1] = #field
      lengths[#lengths + 1] = #value
    end
  end
  return table.concat(lengths, ' ') .. '\\n' .. table.concat(parts)
end

for i, key in ipairs(KEYS) do
  if left <= 0 then
    texts[i] = 'later'
  else
    texts[i] = read(key, ARGV[2 * i] or '', ARGV[2 * i + 1])
    left = left - #texts[i]
  end
end
return texts
`);
