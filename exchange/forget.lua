-- Forget one partition wholly, in one step, so that no commit falls in between: a processor that reads older state is
-- FENCED by the missing token, and begins again. KEYS: any key of the partition. ARGV: glob of all its keys.
local removed, from = 0, '0'
repeat
  local page = redis.call('SCAN', from, 'MATCH', ARGV[1], 'COUNT', 1000)
  from = page[1]
  if #page[2] > 0 then
    removed = removed + redis.call('UNLINK', unpack(page[2]))
  end
until from == '0'
return removed
