-- Standings and single record entries of one partition, in one round trip.
-- KEYS: standings, then the record hashes (one a wanted entry). ARGV: number of standings, then the fields.
local standings = tonumber(ARGV[1])
local found = {}
for i = 1, standings do
  found[i] = redis.call('GET', KEYS[i])
end
for i = standings + 1, #KEYS do
  found[i] = redis.call('HGET', KEYS[i], ARGV[i - standings + 1])
end
return found
