-- Standings and single record entries of one partition, in one round trip.
-- KEYS: tokens, standings, then the record hashes (one a wanted entry). ARGV: number of standings, then the fields.
-- Answers the newest commit token first: what follows is what was true at that commit.
local standings = tonumber(ARGV[1])
local found = {redis.call('LINDEX', KEYS[1], 0) or ''}
local CHUNK = 2000 -- keys of one command; Lua unpacks fewer than 8,000
for from = 2, standings + 1, CHUNK do
  local some = redis.call('MGET', unpack(KEYS, from, math.min(from + CHUNK - 1, standings + 1)))
  for i = 1, #some do
    found[from + i - 1] = some[i]
  end
end
for i = standings + 2, #KEYS do
  found[i] = redis.call('HGET', KEYS[i], ARGV[i - standings])
end
return found
