-- One commit of one partition: all of it, or nothing and FENCED (design: "State", step 1).
-- KEYS: cursor, tokens, outbox, timers, then standings, then the record hashes (one a changed entry), then the indexes of what is
--       overdue (one a change of them).
-- ARGV: expected token, new token, token last published ('' to leave), entries to trim from the outbox, number of cursor
--       fields, standings, records, timers, outbox messages, changes of what is overdue; then field, value pairs of the cursor;
--       values of the standings; field, value pairs of the records; score, member pairs of the timers ('' as score removes); of
--       what is overdue likewise; messages.
local newest = redis.call('LINDEX', KEYS[2], 0) or ''
if newest ~= ARGV[1] then
  return {'FENCED', newest}
end
local fields, standings, records, timers, messages, overdue = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]),
  tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local at = 11
local CHUNK = 2000 -- values of one command; Lua unpacks fewer than 8,000

-- A command with as many of the values as there are, a few thousand at a time.
local function in_chunks(values, call)
  for from = 1, #values, CHUNK do
    call(unpack(values, from, math.min(from + CHUNK - 1, #values)))
  end
end

if tonumber(ARGV[4]) > 0 then
  redis.call('LTRIM', KEYS[3], tonumber(ARGV[4]), -1)
end
for _ = 1, fields do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  at = at + 2
end
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'published', ARGV[3])
end
local pairs_set = {}
for i = 1, standings do
  pairs_set[2 * i - 1] = KEYS[4 + i]
  pairs_set[2 * i] = ARGV[at]
  at = at + 1
end
in_chunks(pairs_set, function(...) redis.call('MSET', ...) end)
local key = 5 + standings
for _ = 1, records do
  redis.call('HSET', KEYS[key], ARGV[at], ARGV[at + 1])
  key = key + 1
  at = at + 2
end
local added, removed = {}, {}
for _ = 1, timers do
  if ARGV[at] == '' then
    removed[#removed + 1] = ARGV[at + 1]
  else
    added[#added + 1] = ARGV[at]
    added[#added + 1] = ARGV[at + 1]
  end
  at = at + 2
end
in_chunks(removed, function(...) redis.call('ZREM', KEYS[4], ...) end)
in_chunks(added, function(...) redis.call('ZADD', KEYS[4], ...) end)
for _ = 1, overdue do
  if ARGV[at] == '' then
    redis.call('ZREM', KEYS[key], ARGV[at + 1])
  else
    redis.call('ZADD', KEYS[key], ARGV[at], ARGV[at + 1])
  end
  key = key + 1
  at = at + 2
end
for from = at, at + messages - 1, CHUNK do
  redis.call('RPUSH', KEYS[3], unpack(ARGV, from, math.min(from + CHUNK, at + messages) - 1))
end
redis.call('LPUSH', KEYS[2], ARGV[2])
redis.call('LTRIM', KEYS[2], 0, 255)
return {'OK', ARGV[2]}
