/** The client of a room server, step by step: connects, sends, loses the connection, closes. */

import t from 'tap'
import { type Made, makeSession, openSession, turn } from './kit.ts'

const text = (value: unknown): string => JSON.stringify(value)
const fate = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    error => error.code,
  )

t.test('connecting', async t => {
  const { world, session, told } = makeSession()
  const first = session.connect()
  const second = session.connect()
  t.same([session.state(), world.take()], ['connecting', ['open']], 'one attempt for both')
  world.last.sink.opened()
  await Promise.all([first, second, session.connect()])
  t.same([session.state(), told, world.carriers.length], ['open', ['open'], 1])
  t.equal(world.clock.pending, 0, 'no timer is left')
})

t.test('connecting fails', async t => {
  for (const [fail, code] of [
    [({ sink }: Made['world']['last']) => sink.closed(), 'ERR_CLOSED'],
    [
      ({ sink }: Made['world']['last']) => {
        sink.failed(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))
        sink.failed(new Error('the first one counts'))
        sink.closed()
      },
      'ECONNREFUSED',
    ],
    [
      ({ sink }: Made['world']['last']) => {
        sink.failed(new Error('no'))
        sink.closed(1005, 'why')
      },
      'ERR_CONNECTION',
    ],
  ] as const) {
    const { world, session, told } = makeSession({ auto_reconnect: true })
    const outcome = fate(session.connect())
    fail(world.last)
    t.equal(await outcome, code)
    t.match(told, [
      RegExp(`^${code} ws://a .*Failed to connect: .*; `),
      /^close .* \(never open\)$/,
    ])
    t.same([session.state(), world.clock.pending], ['closed', 0], 'and that is all')
  }
})

t.test('a carrier that cannot be made, and one that takes too long', async t => {
  const { world, session, told } = makeSession({ connect_timeout: 50 }, true)
  world.fault = new Error('no such host')
  t.equal(await fate(session.connect()), 'ERR_CONNECTION')
  world.fault = undefined
  const outcome = fate(session.connect())
  world.clock.advance(50)
  t.equal(await outcome, 'ERR_TIMEOUT')
  t.same(world.take(), ['open', 'abort'])
  t.same(told, ['close 1006  (never open)', 'close 1006  (never open)'])
  world.last.sink.opened()
  t.equal(session.state(), 'closed', 'an old link is not heard')
  t.same(world.logged, [], 'the promise has said it')
})

t.test('without timeouts there are no timers', async t => {
  const { world, session } = makeSession({ connect_timeout: Infinity, close_timeout: Infinity })
  void session.connect()
  t.equal(world.clock.pending, 0)
  world.last.sink.opened()
  void session.close(1000, '')
  t.equal(world.clock.pending, 0)
})

t.test('sending before it is open', async t => {
  const { world, session } = makeSession()
  const message = 'ws://a (closed): not initialized; call connect() first'
  t.throws(() => session.send('x'), { code: 'ERR_INVALID_STATE', message, unsent: 'x' })
  t.throws(() => session.join('r', undefined), { message, room: 'r', unsent: undefined })
  void session.connect()
  const advice = 'call connect() first, or set auto_reconnect'
  t.throws(() => session.send('x', 'r'), {
    message: `ws://a (connecting): the channel is not open; ${advice}`,
    room: 'r',
  })
  world.last.sink.opened()
  t.same(world.take(), ['open', text({ type: '_join', room: 'r' })], 'it was remembered')
})

t.test('sending', async t => {
  const { world, session } = await openSession()
  session.send('x')
  session.send({ a: 1 }, 'r')
  session.send({ a: 1 }, '')
  session.send(Uint8Array.of(1, 2))
  t.same(world.take(), ['x', text({ a: 1, _room: 'r' }), text({ a: 1 }), 'bytes 1 2'])
  t.throws(() => session.send(() => 1), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^ws:\/\/a \(open\): Failed to send message: function has no JSON/,
  })
  world.last.room = new Error('no')
  t.throws(() => session.send('x'), { code: 'ERR_SEND', unsent: 'x', cause: world.last.room })
  world.last.room = Object.assign(new Error('no'), { code: 'ERR_FRAME' })
  t.throws(() => session.send('x'), { code: 'ERR_FRAME' })
})

t.test('a carrier without room', async t => {
  const { world, session, told } = await openSession({ max_queued: 3, max_queued_bytes: 10 })
  world.last.room = false
  session.send('1')
  session.send('2')
  session.join('r', undefined)
  session.send('3')
  session.leave('r')
  t.same([world.take(), session.queue.length], [['1'], 2], 'the first was taken')
  t.throws(() => session.send('123456789'), {
    code: 'ERR_OVERFLOW',
    message: /max_queued_bytes is 10/,
  })
  session.send('4')
  t.throws(() => session.send('5'), { message: /max_queued is 3; it was not sent/ })
  world.last.sink.drained()
  t.same(world.take(), ['2'], 'no room for more')
  world.last.room = true
  world.last.sink.drained()
  const [join, leave] = ['_join', '_leave'].map(type => text({ type, room: 'r' }))
  t.same([world.take(), session.queue.length], [[join, '3', leave, '4'], 0], 'in their order')
  t.same(told, [])
})

t.test('what cannot be sent does not keep the rest from being sent', async t => {
  const { world, session, told } = await openSession()
  world.last.room = false
  for (const each of ['1', '2', '3']) session.send(each)
  world.take()
  world.last.room = new Error('no')
  world.last.sink.drained()
  t.match(told, [/ERR_SEND/, /ERR_SEND/])
  t.ok(session.queue.isEmpty)
})

t.test('what comes', async t => {
  const { world, session, told } = await openSession()
  session.handlers.addRoom('r', message => told.push(`room ${text(message)}`))
  for (const data of ['5', 'null', 'x', '[1]', '{"a":1,"_room":"r"}', '{"room":"r","b":2}'])
    world.last.sink.received(data)
  world.last.sink.received('{"_room":5,"room":5}')
  t.same(told, [
    'message 5',
    'message null',
    'message "x"',
    'message [1]',
    'room {"a":1}',
    'message {"a":1}',
    'room {"room":"r","b":2}',
    'message {"room":"r","b":2}',
    'message {"_room":5,"room":5}',
  ])
})

t.test('a reply that has a handler of its own is no message', async t => {
  const { world, session, told } = await openSession()
  session.join('r', undefined)
  session.handlers.addRoom('r', message => told.push(`room ${message.status}`))
  for (const reply of [
    { status: 'joined', room: 'r' },
    { status: 'seen', room: 'r', seq: 1 },
    { status: 'gap', room: 'r', from: 2, to: 3 },
    { status: 'presence', room: 'r', came: ['ann'], went: [] },
    { status: 'dropped', room: 'r', reason: 'too fast' },
    { status: 'dropped', reason: 'too fast' },
    { status: 'refused', room: 'r', reason: 'full' },
    { status: 'left', room: 'r' },
  ])
    world.last.sink.received(text(reply))
  const joined = 'message {"status":"joined","room":"r"}'
  const drop = 'ERR_DROPPED ws://a (open): a message was dropped: "too fast"'
  const but = '; nobody got it'
  t.match(told, ['room joined', joined, 'gap r 2 3', 'presence r +ann -', drop + but, drop + but])
  t.match(told.slice(6), [/^ERR_REFUSED/, 'room left', 'message {"status":"left","room":"r"}'])
})

t.test('each message that has a number is delivered once', async t => {
  const { world, session, told } = await openSession()
  session.join('r', undefined)
  for (const seq of [1, 1, 2, 1]) world.last.sink.received(text({ n: seq, _room: 'r', _seq: seq }))
  t.same(told, ['message {"n":1}', 'message {"n":2}'])
})

t.test('rooms', async t => {
  const { world, session, told } = await openSession()
  session.join('r', undefined)
  session.join('r', undefined)
  session.handlers.addRoom('r', () => told.push('room'))
  session.leave('r')
  session.leave('r')
  t.same(
    world.take(),
    ['_join', '_leave'].map(type => text({ type, room: 'r' })),
  )
  world.last.sink.received('{"_room":"r"}')
  t.same(told, ['message {}'], 'its handlers have gone with it')
})

t.test('it connects again: joins, the queue, what handlers send', async t => {
  const { world, session, told } = await openSession({ auto_reconnect: true, name: 'ann' })
  session.join('a', undefined)
  session.join('b', undefined)
  world.last.sink.received('{"status":"joined","room":"a","seq":7,"client":"c"}')
  told.length = 0
  world.take()
  world.last.sink.failed(new Error('reset'))
  t.same(told, [], 'an error alone ends nothing')
  world.last.sink.closed()
  t.match(told, [/^ERR_CONNECTION .*: Connection error: reset; /, 'close 1006 ', 'reconnecting 1'])
  session.send('1')
  session.leave('b')
  session.join('c', 0)
  session.send('2', 'a')
  for (let attempt = 2; attempt < 5; attempt++) {
    world.clock.advance(30_000)
    t.equal(session.state(), 'connecting')
    world.last.sink.closed()
    t.equal(told.at(-1), `reconnecting ${attempt}`, 'again and again')
  }
  session.handlers.add('open', () => session.send('3'))
  world.clock.advance(30_000)
  world.take()
  world.last.sink.opened()
  t.same(world.take(), [
    text({ type: '_join', room: 'a', seq: 7, client: 'c', name: 'ann' }),
    text({ type: '_join', room: 'c', seq: 0, client: 'c', name: 'ann' }),
    '1',
    text({ message: '2', _room: 'a' }),
    '3',
  ])
})

t.test('only a connection that has lasted counts', async t => {
  const { world, session, told } = await openSession({
    auto_reconnect: true,
    max_reconnect_attempts: 2,
    lasting_time: 1000,
  })
  world.clock.advance(1000)
  world.last.sink.closed(1001, 'going away')
  for (const ms of [1000, 999]) {
    world.clock.advance(30_000)
    world.last.sink.opened()
    world.clock.advance(ms)
    world.last.sink.closed()
  }
  t.same(
    told.filter(each => each.startsWith('reconnecting')),
    ['reconnecting 1', 'reconnecting 1', 'reconnecting 2'],
  )
  world.clock.advance(30_000)
  world.last.sink.opened()
  world.last.sink.closed()
  t.equal(
    told.at(-1),
    'ERR_GAVE_UP ws://a (closed): gave up: max_reconnect_attempts is 2; ' + 'connect() tries again',
  )
  t.equal(world.clock.pending, 0)
  t.throws(() => session.send('x'), /^Error: |call connect\(\) first$/)
})

t.test('a code that forbids it, said by the transport or by the server', async t => {
  for (const lose of [
    ({ sink }: Made['world']['last']) => sink.closed(1008, 'banned'),
    ({ sink }: Made['world']['last']) => {
      sink.received('{"status":"closing","code":1008,"reason":"banned"}')
      sink.closed(1005)
    },
  ]) {
    const { world, told } = await openSession({ auto_reconnect: true })
    lose(world.last)
    t.match(told.slice(-2), [
      'close 1008 banned',
      /^ERR_GAVE_UP .* the server closed with 1008 banned, one of final_codes/,
    ])
    t.equal(world.clock.pending, 0)
  }
})

t.test('connect() does not wait for the next attempt', async t => {
  const { world, session } = await openSession({ auto_reconnect: true, connect_timeout: 60_000 })
  world.last.sink.closed()
  const connected = session.connect()
  t.same([session.state(), world.clock.pending], ['connecting', 1], 'only connect_timeout')
  world.last.sink.opened()
  await connected
  world.last.sink.closed()
  world.clock.advance(30_000)
  const joined = session.connect()
  t.equal(world.carriers.length, 3, 'an attempt of its own is under way')
  world.last.sink.opened()
  await joined
})

t.test('a failed attempt that connect() asked for is followed by others, too', async t => {
  const { world, session, told } = await openSession({ auto_reconnect: true })
  world.last.sink.closed()
  const outcome = fate(session.connect())
  world.last.sink.closed()
  t.equal(await outcome, 'ERR_CLOSED')
  t.equal(told.at(-1), 'reconnecting 1')
})

t.test('handlers may do as they like', async t => {
  const { world, session, told } = await openSession({ auto_reconnect: true })
  const handler = session.handlers.add('close', () => session.connect().catch(() => {}))
  world.last.sink.closed()
  t.same([session.state(), world.carriers.length], ['connecting', 2])
  t.notOk(told.some(each => each.startsWith('reconnecting')))
  session.handlers.remove(handler)
  world.last.sink.opened()
  session.handlers.add('close', () => void session.close(1000, ''))
  world.last.sink.closed()
  t.same([session.state(), world.clock.pending], ['closed', 0])
})

t.test('a handler that closes while the queue is sent', async t => {
  const { world, session, told } = await openSession({ auto_reconnect: true })
  world.last.sink.closed()
  session.send('1')
  session.send('2')
  const handler = session.handlers.add('error', () => void session.close(1000, ''))
  world.clock.advance(30_000)
  world.last.room = new Error('no')
  told.length = 0
  world.last.sink.opened()
  t.match(told, [/ERR_SEND/])
  t.same([session.state(), session.queue.length], ['closing', 1])
  session.handlers.remove(handler)
  world.last.sink.closed(1000)
  t.match(told, [/ERR_SEND/, 'close 1000 '])
})

t.test('what has waited too long is dropped, and told', async t => {
  const { world, session, told } = await openSession({
    auto_reconnect: true,
    max_queued_age: 40_000,
  })
  world.last.sink.closed()
  session.send('old', 'r')
  world.clock.advance(30_000)
  world.last.sink.closed()
  session.send('new')
  world.clock.advance(10_001)
  told.length = 0
  session.connect().catch(() => {})
  world.last.sink.opened()
  t.match(told, [/^ERR_EXPIRED .*longer than max_queued_age, 40000 ms; it is in `unsent`$/, 'open'])
  t.equal(world.take().at(-1), 'new')
})

t.test('closing', async t => {
  const { world, session, told } = await openSession({ auto_reconnect: true })
  session.join('r', undefined)
  world.take()
  const closing = session.close(3000, 'bye')
  t.same([session.state(), world.take()], ['closing', ['close 3000 bye']])
  const again = session.close(1000, '')
  const connected = session.connect()
  t.throws(() => session.send('x'), /not initialized/)
  world.last.sink.failed(new Error('of no interest'))
  world.last.sink.closed(3000, 'bye')
  await Promise.all([closing, again])
  t.same(told, ['close 3000 bye'])
  await turn()
  t.equal(session.state(), 'connecting', 'connect() has waited for it')
  world.last.sink.opened()
  await connected
  t.same(world.take(), ['open', text({ type: '_join', room: 'r' })], 'rooms are kept')
})

t.test('closing a server that does not answer, and a channel that is not open', async t => {
  const { world, session, told } = await openSession({ close_timeout: 70 })
  const closing = session.close(1000, '')
  world.clock.advance(70)
  await closing
  t.same([session.state(), world.take()], ['closed', ['close 1000 ', 'abort']])
  await session.close(1000, '')
  const outcome = fate(session.connect())
  void session.close(1000, '')
  t.equal(await outcome, 'ERR_CLOSED')
  world.last.sink.closed()
  t.same(told, ['close 1006 ', 'close 1006  (never open)'])
})

// A connection that opened after close() was open again, and the promise of close() never settled.
t.test('what opens after close() stays closed', async t => {
  const { world, session, told } = makeSession()
  const outcome = fate(session.connect())
  const closing = session.close(1000, '')
  world.last.sink.opened()
  t.equal(session.state(), 'closing')
  world.last.sink.closed(1000)
  await closing
  t.same(
    [await outcome, session.state(), told],
    ['ERR_CLOSED', 'closed', ['close 1000  (never open)']],
  )
})

t.test('closing while it waits', async t => {
  const { world, session } = await openSession({ auto_reconnect: true })
  world.last.sink.closed()
  session.send('kept')
  await session.close(1000, '')
  t.same([world.clock.pending, session.queue.length], [0, 1])
  t.throws(() => session.send('x'), /not initialized/)
  void session.connect()
  world.last.sink.opened()
  t.equal(world.take().at(-1), 'kept')
})

t.test('while the server closes, messages wait', async t => {
  const { world, session } = await openSession({ auto_reconnect: true })
  world.last.isOpen = false
  session.send('x')
  session.join('r', undefined)
  t.same([session.state(), world.take(), session.queue.length], ['open', [], 1])
  const other = await openSession()
  other.world.last.isOpen = false
  t.throws(() => other.session.send('x'), { code: 'ERR_INVALID_STATE' })
})

t.test('what nobody hears is logged', async t => {
  const { world, session } = makeSession({ auto_reconnect: true }, true)
  session.state.subscribe(() => {
    throw new Error('of a subscriber')
  })
  const connected = session.connect()
  world.last.sink.opened()
  await connected
  await turn()
  world.last.sink.closed(1008)
  t.match(world.logged, ['ws://a: of a subscriber', 'ws://a: of a subscriber', /gave up/])
})

t.test('commands belong to one connection', async t => {
  const { world, session } = await openSession({ auto_reconnect: true })
  world.last.room = false
  session.send('1')
  session.join('r', undefined)
  world.last.sink.closed()
  t.ok(session.queue.isEmpty)
})
