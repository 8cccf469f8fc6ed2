/** What is counted, and how it is added up. */

import t from 'tap'
import { type Gauge, Tally } from '../../src/core/tally.ts'

const NO_STATES = { opening: 0, active: 0, closing: 0, error: 0 }

t.test('nothing has happened', async t => {
  t.same(new Tally().sum([], 0), {
    channels: { streams: NO_STATES, servers: NO_STATES, datagrams: NO_STATES, messages: NO_STATES },
    connected: 0,
    accepted: 0,
    listened: 0,
    closed: { local: 0, remote: 0, error: 0, timeout: 0, overflow: 0, drain: 0 },
    dropped: {},
    timeouts: { connect: 0, handshake: 0, read: 0, write: 0, idle: 0, lifetime: 0 },
    overflows: 0,
    bytes_read: 0,
    bytes_written: 0,
    bytes_held: 0,
    timers: 0,
  })
})

t.test('each event is counted as what it is', async t => {
  const tally = new Tally()
  tally.count('listen', { duration: 1 })
  for (let n = 0; n < 2; n++) tally.count('accept', { duration: 1 })
  for (let n = 0; n < 3; n++) tally.count('connect', { duration: 1 })
  for (const reason of ['overload', 'blocked', 'overload'])
    tally.count('drop', { reason, address: '' })
  tally.count('timeout', { kind: 'read' })
  tally.count('overflow', { error: new Error() })
  tally.count('close', { reason: 'remote', duration: 5, bytes_read: 10, bytes_written: 20 })
  const gauge = (kind: Gauge['kind']): Gauge => ({
    kind,
    bytes_read: 1,
    bytes_written: 2,
    bytes_held: 3,
  })
  const stats = tally.sum(
    [
      ['active', gauge('stream')],
      ['closing', gauge('stream')],
      ['active', gauge('server')],
      ['opening', gauge('datagram')],
      ['opening', undefined],
    ],
    4,
  )
  t.match(stats, {
    channels: {
      streams: { ...NO_STATES, active: 1, closing: 1 },
      servers: { ...NO_STATES, active: 1 },
      datagrams: { ...NO_STATES, opening: 1 },
      messages: NO_STATES,
    },
    listened: 1,
    accepted: 2,
    connected: 3,
    overflows: 1,
    timers: 4,
    bytes_read: 14,
    bytes_written: 28,
    bytes_held: 12,
  })
  t.same(
    { dropped: stats.dropped, read: stats.timeouts.read, remote: stats.closed.remote },
    { dropped: { overload: 2, blocked: 1 }, read: 1, remote: 1 },
  )
  t.match(
    tally.sum([], 0),
    { bytes_read: 10, bytes_written: 20, bytes_held: 0 },
    'what is open is summed up anew each time',
  )
})
