/**
 * Layer 8. What a RedisRelay has the server do: scripts in Lua, each of which runs as a whole.
 *
 * What is stored of a topic:
 * - `topic`, a hash: `last`, its last seq; `run`, what the server's life was called then
 * - `history`, a stream: the entry of seq 7 has the id 7-0. Its seqs count by one, so its length
 *   says which is the first.
 * - `members`, a sorted set: relay and member, with the time at which the lease ends
 *
 * They are sent as a whole each time (EVAL). EVALSHA was refused: a server that has forgotten a
 * script, after a restart, says so, and the repetition would come after what was sent after it.
 * The server knows a script by its hash, and compiles it once.
 */

/**
 * Stores an entry, and tells it. Returns its seq, as text.
 *
 * KEYS: topic, history. ARGV: run, channel, bytes, how many entries stay, ms until they may go, ms
 * until the last seq may be forgotten.
 *
 * A server that came back without its last entries would give their seqs to others. So a topic of
 * another run begins anew, at the time of the server's clock, which is higher than any seq it had.
 */
export const APPEND = `
local run, last = unpack(redis.call('HMGET', KEYS[1], 'run', 'last'))
local seq
if run == ARGV[1] then
  seq = redis.call('HINCRBY', KEYS[1], 'last', 1)
else
  local now = redis.call('TIME')
  seq = now[1] * 1000000 + now[2]
  if last and seq <= tonumber(last) then seq = last + 1 end
  redis.call('HSET', KEYS[1], 'run', ARGV[1], 'last', string.format('%.0f', seq))
  redis.call('DEL', KEYS[2])
end
seq = string.format('%.0f', seq)
redis.call('XADD', KEYS[2], seq .. '-0', 'bytes', ARGV[3])
if redis.call('XLEN', KEYS[2]) > ARGV[4] * 1.5 then
  redis.call('XTRIM', KEYS[2], 'MAXLEN', ARGV[4])
end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PUBLISH', ARGV[2], 'a' .. seq .. ' ' .. ARGV[3])
return seq
`

/**
 * Reads a history. Returns the last seq (0 if there is none), how many entries are stored, and
 * those that were asked for.
 *
 * KEYS: topic, history. ARGV: run, the id of the first that is wanted, how many.
 */
export const READ = `
local run, last = unpack(redis.call('HMGET', KEYS[1], 'run', 'last'))
if run ~= ARGV[1] then return {'0', 0, {}} end
return {last, redis.call('XLEN', KEYS[2]),
  redis.call('XRANGE', KEYS[2], ARGV[2], '+', 'COUNT', ARGV[3])}
`

/**
 * Members are present, for one lease from now. Tells the channel if any of them is new.
 *
 * KEYS: members. ARGV: channel, ms of the lease, members …
 */
export const PRESENT = `
local now = redis.call('TIME')
local ends = now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[2]
local added = 0
for i = 3, #ARGV do
  added = added + redis.call('ZADD', KEYS[1], string.format('%.0f', ends), ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if added > 0 then redis.call('PUBLISH', ARGV[1], '') end
return added
`

/** Members are absent. Tells the channel if any of them was there. KEYS, ARGV: as above. */
export const ABSENT = `
local removed = 0
for i = 2, #ARGV do removed = removed + redis.call('ZREM', KEYS[1], ARGV[i]) end
if removed > 0 then redis.call('PUBLISH', ARGV[1], '') end
return removed
`

/** The members whose lease has not ended. KEYS: members. */
export const MEMBERS = `
local now = redis.call('TIME')
local ended = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', ended))
return redis.call('ZRANGE', KEYS[1], 0, -1)
`
