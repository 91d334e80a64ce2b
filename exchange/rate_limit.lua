-- GCRA: one number a name, the time at which everything taken so far is paid for at the rate.
-- KEYS: the name's key. ARGV: microseconds a unit, units of the burst, cost, '1' to take even what there is no room for.
-- Answers whether it was taken, the units that remain, and the microseconds until the cost could be taken (again).
local unit, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local paid_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local room = burst * unit - (paid_at - now)
local taken = 0
if room >= cost * unit or ARGV[4] == '1' then
  taken = 1
  paid_at = paid_at + cost * unit
  room = room - cost * unit
  redis.call('SET', KEYS[1], string.format('%.0f', paid_at), 'PX', math.ceil((paid_at - now) / 1000) + 1)
end
return {taken, math.max(0, math.floor(room / unit)), math.max(0, math.ceil(cost * unit - room))}
