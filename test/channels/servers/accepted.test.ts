/** Who owns a connection that was accepted, and what it passes on. */

import t from 'tap'
import { Accepted } from '../../../src/channels/servers/accepted.ts'
import type { TransportSink } from '../../../src/transport.ts'
import { FakeTransport } from '../link-kit.ts'

/** What a transport reports to while it is at work. */
const OWN = { received: () => {} } as unknown as TransportSink

function setUp() {
  const transport = new FakeTransport()
  const log: string[] = []
  const taker = {
    transport: transport as FakeTransport | undefined,
    abort: (reason: string) => log.push(`abort ${reason}`),
  }
  const demand = { context: { secure: () => transport }, host: '' }
  return { transport, log, taker, demand, connection: new Accepted(transport, demand) }
}

t.test('nobody owns it at first: it can be watched, and has no sink', async t => {
  const { transport, connection, demand, log } = setUp()
  t.same([connection.owner, connection.isTaken, connection.sink], [undefined, false, undefined])
  t.equal(connection.demand, demand)
  connection.watch(() => log.push('closed'))
  for (const report of ['opened', 'drained', 'ended', 'closed'] as const) transport.sink![report]()
  t.same(log, ['closed'])
  t.equal(connection.sink, undefined, 'the watch is not the sink of an owner')
})

t.test('a stream takes it, with the transport itself', async t => {
  const { transport, connection, taker } = setUp()
  t.equal(connection.take(taker), transport)
  t.same([connection.owner === taker, connection.isTaken], [true, true])
  connection.owner = {}
  t.equal(connection.isTaken, true, 'also as a channel of a server')
})

t.test('the program sets a sink of its own; a stream may still take it', async t => {
  const { transport, connection, taker } = setUp()
  connection.sink = OWN
  t.equal(transport.sink, OWN)
  t.equal(connection.sink, OWN)
  t.same([connection.owner === undefined, connection.isTaken], [false, false])
  connection.take(taker)
  t.equal(connection.isTaken, true)
})

t.test('refused: the stream that has taken it is aborted, or else it is destroyed', async t => {
  const free = setUp()
  free.connection.refuse()
  t.same([free.transport.news, free.log], ['destroy', []])
  const taken = setUp()
  taken.connection.take(taken.taker)
  taken.connection.refuse()
  t.same([taken.transport.news, taken.log], ['', ['abort error']])
  taken.connection.refuse('drain')
  t.same(taken.log, ['abort error', 'abort drain'])
})

// An async on_accept that rejected after its connection had closed was an unhandled rejection,
// which ends the process. Found by npm run fuzz.
t.test('REGRESSION: refused late, when the stream has closed', async t => {
  const { connection, taker, log } = setUp()
  connection.take(taker)
  taker.transport = undefined
  connection.refuse()
  t.same(log, [])
})

t.test('of a socket: the same one, or one around a transport of the program', async t => {
  const { transport, connection, taker } = setUp()
  t.equal(Accepted.of(connection), connection)
  t.equal(Accepted.of(transport).isTaken, false)
  transport.sink = OWN
  t.equal(Accepted.of(transport).isTaken, false)
  transport.sink = { ...OWN, ...taker }
  t.equal(Accepted.of(transport).isTaken, true, 'a link reports to a stream')
  t.equal(Accepted.of(null as never).isTaken, false, 'it is checked later')
})

t.test('what is optional in a transport is passed on', async t => {
  const { transport, connection } = setUp()
  t.same([connection.lends_chunks, connection.bytes_gone], [false, 5])
  Object.assign(transport, { lends_chunks: true, bytes_gone: 3 })
  t.same([connection.lends_chunks, connection.bytes_gone], [true, 3])
})
