/** What a program sees of a channel, wherever it runs. */

import t from 'tap'
import type { RoomChannelOptions } from '../../../src/rooms/client/channel-options.ts'
import { ChannelMessageError } from '../../../src/rooms/client/errors.ts'
import { RoomChannel } from '../../../src/rooms/client/room-channel.ts'
import { turn } from '../../kit.ts'
import { FakeWorld } from './kit.ts'

class Channel extends RoomChannel {
  readonly world: FakeWorld

  constructor(options: RoomChannelOptions = {}, url = 'ws://a') {
    const world = new FakeWorld()
    super(url, options, [], () => ({
      carrier: sink => world.carrier(sink),
      now: () => world.now(),
      after: (delay, callback) => world.after(delay, callback),
      log: message => world.logError(message),
    }))
    this.world = world
  }
}

async function open(options: RoomChannelOptions = {}): Promise<Channel> {
  const channel = new Channel(options)
  const connected = channel.connect()
  channel.world.last.sink.opened()
  await connected
  channel.world.take()
  return channel
}

t.test('states', async t => {
  const channel = new Channel()
  const view = (): unknown[] => [
    channel.state,
    channel.state_signal(),
    channel.ready_state,
    channel.ready_state_signal(),
    channel.is_connecting,
    channel.is_connected,
  ]
  t.same(view(), ['closed', 'closed', 3, 3, false, false])
  const told: unknown[] = []
  channel.state_signal.subscribe(state => told.push(state))
  const cancel = channel.ready_state_signal.subscribe(state => told.push(state))
  const connected = channel.connect()
  t.same(view(), ['connecting', 'connecting', 0, 0, true, false])
  channel.world.last.sink.opened()
  await connected
  t.same(view(), ['open', 'open', 1, 1, false, true])
  const closed = channel.close()
  t.same(view(), ['closing', 'closing', 2, 2, false, false])
  t.equal(channel.world.take().at(-1), 'close 1000 Normal closure')
  await turn()
  cancel()
  channel.world.last.sink.closed(1000)
  await closed
  await turn()
  t.same(told, ['connecting', 0, 'open', 1, 'closing', 2, 'closed'])
  t.equal(channel.url, 'ws://a')
})

t.test('messages and rooms', async t => {
  const channel = await open({ auto_reconnect: true })
  await channel.join('r')
  await channel.join('s', { seq: 5 })
  await channel.send('1')
  await channel.send('2', 'r')
  await channel.send_to('r', { n: 3 })
  await channel.leave('s')
  t.same(channel.world.take(), [
    '{"type":"_join","room":"r"}',
    '{"type":"_join","room":"s","seq":5}',
    '1',
    '{"message":"2","_room":"r"}',
    '{"n":3,"_room":"r"}',
    '{"type":"_leave","room":"s"}',
  ])
  t.same(
    [channel.is_in_room('r'), channel.is_in_room('s'), channel.get_rooms()],
    [true, false, ['r']],
  )
  const { sink } = channel.world.last
  sink.received('{"status":"joined","room":"r","seq":7}')
  sink.received('{"status":"presence","room":"r","came":["ann"],"went":[]}')
  t.same([channel.last_seq('r'), channel.get_members('r'), channel.queued], [7, ['ann'], 0])
  sink.closed()
  await channel.send('waits')
  t.equal(channel.queued, 1)
  await channel.close()
})

t.test('handlers', async t => {
  const channel = await open({ auto_reconnect: true })
  const told: unknown[] = []
  const note =
    (name: string) =>
    (...args: unknown[]): unknown =>
      told.push([name, ...args])
  for (const name of [
    'open',
    'close',
    'message',
    'error',
    'gap',
    'presence',
    'reconnecting',
  ] as const) {
    const handler = note(name)
    t.equal((channel as any)[`on_${name}`](handler), handler, `on_${name} returns its handler`)
  }
  const room = channel.on_room_message('r', note('room'))
  await channel.join('r')
  const { sink } = channel.world.last
  sink.received('{"_room":"r","n":1}')
  sink.received('{"status":"gap","room":"r","from":1,"to":2}')
  sink.received('{"status":"presence","room":"r","came":["eve"],"went":[]}')
  sink.received('{"status":"joined","room":"r"}')
  t.same(
    told.splice(0).filter(each => (each as string[])[0] !== 'message'),
    [
      ['room', { n: 1 }],
      ['gap', 'r', 1, 2],
      ['presence', 'r', ['eve'], []],
      ['room', { status: 'joined', room: 'r' }],
    ],
  )
  sink.failed(new Error('x'))
  sink.closed(1001, 'away')
  t.match(told, [
    ['error', { code: 'ERR_CONNECTION' }],
    ['close', { code: 1001, reason: 'away', was_open: true }],
    ['reconnecting', { attempt: 1 }],
  ])
  told.length = 0
  t.ok(channel.remove_room_handler('r', room))
  t.notOk(channel.remove_handler(room))
  channel.on_room_message('r', room)
  channel.clear_room_handlers('r')
  channel.on_room_message('r', room)
  channel.clear_room_handlers()
  channel.clear_handlers()
  channel.world.clock.advance(1000)
  channel.world.last.sink.opened()
  channel.world.last.sink.received('{"_room":"r","n":1}')
  t.same(told, [])
})

t.test('a failed call rejects, and is told to on_error, too', async t => {
  const channel = await open()
  const errors: unknown[] = []
  channel.on_error(error => errors.push(error))
  for (const [call, message] of [
    [() => channel.send(undefined), /Failed to send message/],
    [() => channel.send('x', 5 as never), /send: room must be text; got 5/],
    [() => channel.send_to(null as never, 'x'), /send: room must be text; got null/],
    [() => channel.join(''), /: room must be text of 1 to 900 characters; got ""/],
    [() => channel.join('x'.repeat(901)), /: room must be text of 1 to 900 characters; got "x/],
    [() => channel.join('r', { sqe: 1 } as object), /join: options must be { seq }; got "sqe"/],
    [() => channel.join('r', { seq: -1 }), /join: seq must be a whole number, 0 or more; got -1/],
    [() => channel.leave(5 as never), /: room must be text of 1 to 900 characters; got 5/],
    [() => channel.close(1001), /close: code must be 1000, or 3000 to 4999; got 1001/],
    [() => channel.close('1000' as never), /close: code must be .*; got "1000"/],
    [() => channel.close(3000, 5 as never), /close: reason must be text of at most 123 bytes/],
    [() => channel.close(3000, 'ü'.repeat(62)), /close: reason must be text of at most 123 bytes/],
  ] as const) {
    const error = await call().then(
      () => undefined,
      (error: unknown) => error,
    )
    t.ok(error instanceof ChannelMessageError)
    t.match(error, { code: 'ERR_INVALID_ARGUMENT', message })
    t.match(error, { message: /^ws:\/\/a \(open\): / })
    t.equal(errors.pop(), error)
  }
  t.same(channel.world.take(), [], 'nothing has happened')
  await channel.join('r', null as never)
  void channel.send(undefined)
  await turn()
  t.equal(errors.length, 1, 'it need not be awaited')
})

t.test('misuse at once', async t => {
  t.throws(() => new Channel({}, ''), { message: /^new Channel: url must be text/ })
  t.throws(() => new Channel({}, 5 as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new Channel({ name: '' }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new Channel().on_open(5 as never), { code: 'ERR_INVALID_ARGUMENT' })
})

/*
 * What asks about a room took anything: a room whose name was misspelt, undefined for example, was
 * one that nobody is in. So did what removes handlers, and what watches a signal.
 */
t.test('calls that ask, remove or watch refuse what they cannot mean', async t => {
  const channel = await open()
  for (const room of [undefined, null, 5, '', {}, 'x'.repeat(901)] as never[])
    for (const call of [
      () => channel.is_in_room(room),
      () => channel.get_members(room),
      () => channel.last_seq(room),
      () => channel.remove_room_handler(room, () => {}),
      ...(room === undefined ? [] : [() => channel.clear_room_handlers(room)]),
    ])
      t.throws(call, { code: 'ERR_INVALID_ARGUMENT', message: /^room must be text of 1 to 900 ch/ })
  for (const bad of [undefined, null, 'on_message', {}] as never[])
    for (const call of [
      () => channel.remove_handler(bad),
      () => channel.remove_room_handler('r', bad),
      () => channel.state_signal.subscribe(bad),
      () => channel.ready_state_signal.subscribe(bad),
    ])
      t.throws(call, { code: 'ERR_INVALID_ARGUMENT', message: /^handler must be a function; got / })
})
