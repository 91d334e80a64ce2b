-- Standings and single record entries of one partition, in one round trip.
-- KEYS: standings, then the record hashes (one a wanted entry). ARGV: number of standings, then the fields.
local standings = tonumber(ARGV[1])
local found = {}
local CHUNK = 2000 -- keys of one command; Lua unpacks fewer than 8,000
for from = 1, standings, CHUNK do
  local some = redis.call('MGET', unpack(KEYS, from, math.min(from + CHUNK - 1, standings)))
  for i = 1, #some do
    found[from + i - 1] = some[i]
  end
end
for i = standings + 1, #KEYS do
  found[i] = redis.call('HGET', KEYS[i], ARGV[i - standings + 1])
end
return found
