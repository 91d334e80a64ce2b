-- One commit of the dispatcher for one partition: all of it, or nothing and FENCED.
-- KEYS: cursor, receipts; then for each department pending, delivered, log; then for each log entry the index of its subject and
--       of its notice.
-- ARGV: expected token, new token, receipts to trim, number of cursor fields, departments, pending, delivered, log entries,
--       receipts, longest log, age of log in ms; then field, value of the cursor; department's position, subject, value of
--       the pending ('' removes) and the delivered; position, place, value of the log entries; receipts.
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
  local key = KEYS[3 * ARGV[at]]
  if ARGV[at + 2] == '' then
    redis.call('HDEL', key, ARGV[at + 1])
  else
    redis.call('HSET', key, ARGV[at + 1], ARGV[at + 2])
  end
  at = at + 3
end
for _ = 1, delivered do
  redis.call('HSET', KEYS[3 * ARGV[at] + 1], ARGV[at + 1], ARGV[at + 2])
  at = at + 3
end
local written = {}
for i = 1, entries do
  local key, subject, notice = KEYS[3 * ARGV[at] + 2], KEYS[3 * departments + 2 * i + 1], KEYS[3 * departments + 2 * i + 2]
  local id = redis.call('XADD', key, 'MAXLEN', '~', ARGV[10], '*', 'a', ARGV[at + 2])
  redis.call('RPUSH', subject, id)
  redis.call('LTRIM', subject, -100, -1)
  redis.call('PEXPIRE', subject, age)
  redis.call('SET', notice, ARGV[at + 1], 'PX', age)
  written[key] = id
  at = at + 3
end
for key, id in pairs(written) do
  local now = tonumber(string.match(id, '^%d+'))
  redis.call('XTRIM', key, 'MINID', '~', string.format('%.0f', now - age))
end
for _ = 1, receipts do
  redis.call('RPUSH', KEYS[2], ARGV[at])
  at = at + 1
end
redis.call('HSET', KEYS[1], 'token', ARGV[2])
return {'OK', ARGV[2]}
