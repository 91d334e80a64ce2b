-- One commit of the dispatcher for one partition: all of it, or nothing and FENCED.
-- KEYS: cursor, receipts, index of the log by notice; then for each department pending, delivered, log; then for each log entry
--       the index of its subject.
-- ARGV: expected token, new token, receipts to trim, number of cursor fields, departments, pending, delivered, log entries,
--       receipts, longest log, age of log in ms; then field, value of the cursor; department's position, subject, value of
--       the pending ('' removes) and the delivered; position, notice, place, value of the log entries; receipts.
local newest = redis.call('HGET', KEYS[1], 'token') or ''
if newest ~= ARGV[1] then
  return {'FENCED', newest}
end
local fields, departments, pending, delivered, entries, receipts =
  tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local age = tonumber(ARGV[11])
local at = 12

if tonumber(ARGV[3]) > 0 then
  redis.call('LTRIM', KEYS[2], tonumber(ARGV[3]), -1)
end
for _ = 1, fields do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for _ = 1, pending do
  local key = KEYS[3 * ARGV[at] + 1]
  if ARGV[at + 2] == '' then
    redis.call('HDEL', key, ARGV[at + 1])
  else
    redis.call('HSET', key, ARGV[at + 1], ARGV[at + 2])
  end
  at = at + 3
end
for _ = 1, delivered do
  redis.call('HSET', KEYS[3 * ARGV[at] + 2], ARGV[at + 1], ARGV[at + 2])
  at = at + 3
end

-- The oldest entries beyond the log's length or age leave, and with them both indexes: more at once than come, so it catches up.
-- The key of a leaving entry's subject is known only here; it is in the partition's slot, as all of them.
local tag = string.match(KEYS[1], '^(.*):cursor$')
local function forget(log, newest_id)
  local at_once = 100 + 2 * entries
  local over = redis.call('XLEN', log) - tonumber(ARGV[10])
  local before = string.format('(%.0f-0', tonumber(string.match(newest_id, '^%d+')) - age)
  local old = redis.call('XRANGE', log, '-', before, 'COUNT', at_once)
  if #old < math.min(over, at_once) then
    old = redis.call('XRANGE', log, '-', '+', 'COUNT', math.min(over, at_once))
  end
  for _, entry in ipairs(old) do
    local notice = entry[2][4] -- none in entries of before there was this index
    local place = notice and redis.call('HGET', KEYS[3], notice)
    if place then
      local newest_of_it, department, subject = string.match(place, '^(%S+) (%S+) (.*)$')
      redis.call('LREM', string.format('%s:s:%s:%s', tag, department, subject), 1, entry[1])
      if newest_of_it == entry[1] then
        redis.call('HDEL', KEYS[3], notice)
      end
    end
  end
  if #old > 0 then
    redis.call('XTRIM', log, 'MAXLEN', redis.call('XLEN', log) - #old)
  end
end

local written = {}
for i = 1, entries do
  local log, subject = KEYS[3 * ARGV[at] + 3], KEYS[3 * departments + 3 + i]
  local id = redis.call('XADD', log, '*', 'a', ARGV[at + 3], 'n', ARGV[at + 1])
  redis.call('RPUSH', subject, id)
  redis.call('LTRIM', subject, -100, -1)
  redis.call('PEXPIRE', subject, age)
  redis.call('HSET', KEYS[3], ARGV[at + 1], id .. ' ' .. ARGV[at + 2])
  written[log] = id
  at = at + 4
end
for log, id in pairs(written) do
  forget(log, id)
end
for _ = 1, receipts do
  redis.call('RPUSH', KEYS[2], ARGV[at])
  at = at + 1
end
redis.call('HSET', KEYS[1], 'token', ARGV[2])
return {'OK', ARGV[2]}
