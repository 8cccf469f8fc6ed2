/** The client of rooms against a server of the sample protocol, over every transport. */

import t from 'tap'
import { ChannelState } from '../../src/rooms/client/channel-state.ts'
import { ChannelConnectionError, ChannelMessageError } from '../../src/rooms/client/errors.ts'
import { until } from '../kit.ts'
import { Inbox, overAll } from '../rooms/kit.ts'

await overAll(t, 'connects, sends, closes', async (t, { channel, server }) => {
  const one = channel()
  t.same([one.state, one.ready_state], ['closed', 3], 'both say the same before connect()')
  const states: string[] = []
  one.state_signal.subscribe(state => states.push(state))
  const inbox = new Inbox(one)
  const connected = one.connect()
  t.same([one.is_connecting, one.is_connected], [true, false])
  await connected
  t.same([one.is_connecting, one.is_connected, one.state], [false, true, ChannelState.OPEN])
  await one.connect()
  await one.send('hello')
  t.equal(await inbox.next(), 'Echo: hello')
  await one.send({ text: 'hello' })
  t.same(await inbox.next(), { echo: { text: 'hello' } })
  await one.send(5)
  t.same(await inbox.next(), { echo: 5 })
  server.tell('null')
  t.equal(await inbox.next(), null)
  server.tell('raw text')
  t.equal(await inbox.next(), 'raw text')
  const closed: unknown[] = []
  one.on_close(event => closed.push(event))
  const closing = one.close()
  t.equal(one.state, ChannelState.CLOSING)
  await closing
  await one.close()
  t.match(closed, [{ was_open: true }])
  t.same(states, ['connecting', 'open', 'closing', 'closed'])
  await until(() => server.peers.size === 0)
})

await overAll(t, 'rooms', async (t, { channel, server }) => {
  const [ann, bob] = [channel(), channel()]
  await Promise.all([ann.connect(), bob.connect()])
  const room = '__proto__'
  const [anns, bobs, bobsAll] = [new Inbox(ann, room), new Inbox(bob, room), new Inbox(bob)]
  for (const [who, inbox] of [
    [ann, anns],
    [bob, bobs],
  ] as const) {
    await who.join(room)
    await who.join(room)
    t.same(await inbox.next(), { status: 'joined', room })
    t.ok(who.is_in_room(room))
    t.same(who.get_rooms(), [room])
  }
  t.same(await bobsAll.next(), { status: 'joined', room })
  t.same(server.got, Array(2).fill(`{"type":"_join","room":"${room}"}`), 'once each')
  await ann.send_to(room, { text: 'hi', _room: 'elsewhere' })
  t.strictSame(await bobs.next(), { text: 'hi' }, '_room is taken off')
  await ann.send({ text: 'all' }, room)
  t.strictSame(await bobs.next(), { text: 'all' })
  await ann.send('[1]', room)
  t.strictSame(await bobs.next(), { message: '[1]' })
  for (const text of ['hi', 'all']) t.strictSame(await bobsAll.next(), { text })
  await t.rejects(ann.send(Buffer.from('x'), room), { code: 'ERR_INVALID_ARGUMENT' })
  await bob.leave(room)
  t.notOk(bob.is_in_room(room))
  await bob.leave(room)
  await bobsAll.next()
  t.same(await bobsAll.next(), { status: 'left', room })
  await ann.send_to(room, 'gone')
  await ann.send('done')
  t.equal(anns.size, 0, 'not to the sender')
})

await overAll(t, 'connects again: joins, the queue, what handlers send', async (t, place) => {
  const { channel, server } = place
  const one = channel({ auto_reconnect: true, reconnect_delay: 20 })
  const errors: Error[] = []
  one.on_error(error => errors.push(error))
  await one.connect()
  await one.join('a')
  await one.join('b')
  await until(() => server.got.length === 2)
  server.got.length = 0
  const closed = new Promise(resolve => one.on_close(resolve))
  server.stop()
  await closed
  t.equal(one.state, ChannelState.CLOSED)
  await one.send('first')
  await one.send_to('a', { n: 2 })
  await one.join('c')
  await one.leave('b')
  t.equal(one.queued, 2)
  one.on_open(() => one.send('from the handler'))
  const failed = new Promise<void>(resolve => {
    one.on_reconnecting(({ attempt }) => attempt === 4 && resolve())
  })
  await failed
  t.ok(errors.length >= 3, 'each failed attempt is told')
  await server.start()
  await until(() => server.got.length >= 5)
  t.same(server.got, [
    '{"type":"_join","room":"a"}',
    '{"type":"_join","room":"c"}',
    'first',
    '{"n":2,"_room":"a"}',
    'from the handler',
  ])
  t.ok(errors.every(error => error instanceof ChannelConnectionError))
  t.equal(one.queued, 0)
})

await overAll(t, 'gives up', async (t, { channel, server }) => {
  const one = channel({ auto_reconnect: true, reconnect_delay: 1, max_reconnect_attempts: 3 })
  const attempts: number[] = []
  one.on_reconnecting(({ attempt }) => attempts.push(attempt))
  const gaveUp = new Promise<Error>(resolve =>
    one.on_error(error => (error as any).code === 'ERR_GAVE_UP' && resolve(error)),
  )
  await one.connect()
  server.stop()
  t.match((await gaveUp).message, /\(closed\): gave up.* max_reconnect_attempts is 3; connect\(\)/)
  t.same(attempts, [1, 2, 3])
  await t.rejects(one.send('x'), { code: 'ERR_INVALID_STATE' })
  await t.rejects(one.connect(), ChannelConnectionError)
  await server.start()
  await one.connect()
  await one.send('x')
  await until(() => server.got.length === 1)
})

await overAll(t, 'errors', async (t, { channel, server }) => {
  const one = channel()
  for (const call of [() => one.send('x'), () => one.join('r')]) {
    const error: Error = await call().then(
      () => t.fail('it should have failed'),
      error => error,
    )
    t.ok(error instanceof ChannelMessageError)
    t.equal(error.message, `${server.url} (closed): not initialized; call connect() first`)
  }
  t.ok(one.is_in_room('r'), 'joined when it is open')
  await one.connect()
  await until(() => server.got.length === 1)
  await one.close()
  await t.rejects(one.send('x'), /not initialized/)
  server.stop()
  const errors: unknown[] = []
  one.on_error(error => errors.push(error))
  const error = await one.connect().catch((error: unknown) => error)
  t.same(errors, [error], 'told, too')
  t.match(error, /Failed to connect/)
})

await overAll(t, 'what is sent', async (t, { channel, server }) => {
  const one = channel()
  await one.connect()
  const cases: [message: unknown, alone: string, inRoom: string][] = [
    [{ a: 1 }, '{"a":1}', '{"a":1,"_room":"r"}'],
    [[1, 2], '[1,2]', '{"data":[1,2],"_room":"r"}'],
    ['Grüße 😀', 'Grüße 😀', '{"message":"Grüße 😀","_room":"r"}'],
    ['{"a":1}', '{"a":1}', '{"a":1,"_room":"r"}'],
    ['[1]', '[1]', '{"message":"[1]","_room":"r"}'],
    ['123', '123', '{"message":"123","_room":"r"}'],
    [5, '5', '{"data":5,"_room":"r"}'],
    [true, 'true', '{"data":true,"_room":"r"}'],
    [null, 'null', '{"data":null,"_room":"r"}'],
    [12n, '12', '{"data":"12","_room":"r"}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"', '{"data":"1970-01-01T00:00:00.000Z","_room":"r"}'],
    [{ _room: 'elsewhere' }, '{"_room":"elsewhere"}', '{"_room":"r"}'],
  ]
  for (const [message] of cases) {
    await one.send(message, '')
    await one.send_to('r', message)
  }
  await until(() => server.got.length === 2 * cases.length)
  t.same(
    server.got,
    cases.flatMap(([, ...texts]) => texts),
  )
})

await overAll(t, 'what comes', async (t, { channel, server }) => {
  const one = channel()
  await one.connect()
  await until(() => server.peers.size === 1)
  const told: unknown[] = []
  const errors: unknown[] = []
  one.on_error(error => errors.push(error))
  one.on_room_message('r', message => told.push(['r', message]))
  const twice = one.on_message(message => told.push(message))
  one.on_message(twice)
  one.on_message(() => {
    throw new Error('of a handler')
  })
  t.ok(one.remove_handler(twice), 'the first occurrence')
  const messages: [text: string, value: unknown][] = [
    ['5', 5],
    ['null', null],
    ['[1]', [1]],
    ['"text"', 'text'],
    ['not {JSON', 'not {JSON'],
    ['{"a":1}', { a: 1 }],
  ]
  for (const [text] of messages) server.tell(text)
  server.tell('{"_room":"r","__proto__":{"x":1}}')
  server.tell('{"room":"r","b":2}')
  server.tell('{"_room":"","c":3}')
  await until(() => errors.length === messages.length + 3)
  t.strictSame(told, [
    ...messages.map(([, value]) => value),
    ['r', JSON.parse('{"__proto__":{"x":1}}')],
    JSON.parse('{"__proto__":{"x":1}}'),
    ['r', { room: 'r', b: 2 }],
    { room: 'r', b: 2 },
    { _room: '', c: 3 },
  ])
  t.ok(errors.every(error => (error as Error).message === 'of a handler'))
  one.clear_handlers()
  server.tell('6')
  one.on_message(message => told.push(message))
  await until(() => told.at(-1) === 6)
})

await overAll(t, 'a server that says goodbye is lost as well', async (t, { channel, server }) => {
  const one = channel({ auto_reconnect: true, reconnect_delay: 1 })
  await one.connect()
  await one.join('r')
  await until(() => server.got.length === 1)
  const closed = new Promise<any>(resolve => one.on_close(resolve))
  server.kick()
  t.equal((await closed).was_open, true)
  await until(() => server.got.length === 2)
  t.equal(one.state, 'open', 'it has come back')
  await one.close()
  t.same([one.get_rooms(), one.state], [['r'], 'closed'])
  await t.rejects(one.send('x'), { code: 'ERR_INVALID_STATE' })
  await one.connect()
  await until(() => server.got.length === 3)
  t.same(server.got, Array(3).fill('{"type":"_join","room":"r"}'), 'rooms are kept')
})

await overAll(t, 'close() while it connects', async (t, { channel, server }) => {
  const one = channel({ auto_reconnect: true })
  const told: string[] = []
  one.on_open(() => told.push('open'))
  one.on_close(({ was_open }) => told.push(`close ${was_open}`))
  for (let i = 0; i < 3; i++) {
    const outcome = one.connect().catch((error: unknown) => error)
    await one.close()
    t.match(await outcome, { code: 'ERR_CLOSED' })
    t.equal(one.state, 'closed')
  }
  t.same(told, Array(3).fill('close false'))
  await until(() => server.peers.size === 0)
})

await overAll(t, 'connecting by hand', async (t, { channel, server }) => {
  const one = channel()
  const opened = new Promise<void>(resolve => {
    one.on_close(() => one.connect().then(() => one.join('r').then(resolve)))
  })
  await one.connect()
  await until(() => server.peers.size === 1)
  server.kick()
  await opened
  await until(() => server.got.length === 1)
  t.same(server.got, ['{"type":"_join","room":"r"}'])
  one.clear_handlers()
})
