/**
 * Layer 9. The scripts of the queue on a Redis server, and the names of what it stores. A script
 * runs as a whole, so a job is always in exactly one place.
 *
 * | key | what is in it |
 * |---|---|
 * | `sluice:jobs:NAME` | the jobs that wait, or are being worked on: a stream with one group |
 * | `sluice:jobs:NAME:later` | those that are tried again, by the time when they are due |
 * | `sluice:jobs:NAME:dead` | those that have failed for good: a stream |
 * | `sluice:jobs:NAME:put:ID` | this job was put: another attempt to put it does nothing |
 */

/** The group of all workers. */
export const GROUP = 'workers'

/** The keys of a queue. */
export interface QueueKeys {
  readonly jobs: string
  readonly later: string
  readonly dead: string
}

/** The keys of the queue of that name. */
export function keysOf(name: string): QueueKeys {
  const jobs = `sluice:jobs:${name}`
  return { jobs, later: `${jobs}:later`, dead: `${jobs}:dead` }
}

/**
 * Puts a job. Returns 0 if the queue is full.
 *
 * KEYS: jobs, later, put:ID. ARGV: how many jobs it may have, id, job, ms that the id is known.
 */
export const PUT = `
if redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
local size = redis.call('XLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2])
if size >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'id', ARGV[2], 'tries', '1', 'job', ARGV[3])
redis.call('SET', KEYS[3], '', 'PX', ARGV[4])
return 1
`

/** Whose an entry is: is it being worked on by this worker? */
const OWNS = `
local function owns(entry)
  local found = redis.call('XPENDING', KEYS[1], ARGV[1], entry, entry, 1)[1]
  return found and found[2] == ARGV[2]
end
`

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/**
 * What a worker does again and again: it renews its lease of the jobs that it works on, puts back
 * those that are due, and claims those of workers that have died. Returns the claimed ones: entry,
 * fields, how often it was delivered.
 *
 * KEYS: jobs, later. ARGV: group, worker, lease, how many it may claim, its entries …
 */
export const TEND = `${OWNS}${NOW}
for i = 5, #ARGV do
  if owns(ARGV[i]) then redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID') end
end
for _, text in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)) do
  local id, tries, job = string.match(text, '^(%S+) (%d+) (.*)$')
  if id then redis.call('XADD', KEYS[1], '*', 'id', id, 'tries', tries, 'job', job) end
  redis.call('ZREM', KEYS[2], text)
end
local claimed = {}
if tonumber(ARGV[4]) > 0 then
  local found = redis.call(
    'XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], '0-0', 'COUNT', ARGV[4])[2]
  for _, entry in ipairs(found) do
    if entry and entry[2] then
      local times = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)[1][4]
      table.insert(claimed, {entry[1], entry[2], times})
    end
  end
end
return claimed
`

/** A job is done, whoever works on it by now. KEYS: jobs. ARGV: group, entry. */
export const DONE = `
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
`

/**
 * A job is tried again after that many ms. Returns 0 if another worker has it by now.
 *
 * KEYS: jobs, later. ARGV: group, worker, entry, ms, what is stored of the job.
 */
export const RETRY = `${OWNS}${NOW}
if not owns(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[4]), ARGV[5])
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
return redis.call('XDEL', KEYS[1], ARGV[3])
`

/**
 * A job has failed for good. It is kept for its \`failure_ttl\`, unless there are too many.
 *
 * KEYS: jobs, dead. ARGV: group, worker, entry, how many are kept, ms that it is kept, id, tries,
 * job, error.
 */
export const BURY = `${OWNS}${NOW}
if not owns(ARGV[3]) then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[4], '*', 'id', ARGV[6], 'tries', ARGV[7],
  'job', ARGV[8], 'error', ARGV[9], 'until', string.format('%.0f', now + ARGV[5]))
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 10)) do
  if tonumber(entry[2][10]) < now then redis.call('XDEL', KEYS[2], entry[1]) end
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
return redis.call('XDEL', KEYS[1], ARGV[3])
`

/**
 * A worker goes: what it has not done waits again. KEYS: jobs. ARGV: group, worker.
 *
 * XGROUP DELCONSUMER drops what is pending, so nothing may be.
 */
export const LEAVE = `
for _, pending in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1000, ARGV[2])) do
  local entry = redis.call('XRANGE', KEYS[1], pending[1], pending[1])[1]
  if entry then redis.call('XADD', KEYS[1], '*', unpack(entry[2])) end
  redis.call('XACK', KEYS[1], ARGV[1], pending[1])
  redis.call('XDEL', KEYS[1], pending[1])
end
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
`
