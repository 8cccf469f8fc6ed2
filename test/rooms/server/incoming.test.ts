/** What members send: commands, messages, and garbage. */

import t from 'tap'
import { codeOf } from '../../../src/errors.ts'
import { RelayError } from '../../../src/relay/relay.ts'
import { hear, type IncomingOwner, nameFault } from '../../../src/rooms/server/incoming.ts'
import type { RoomServer } from '../../../src/rooms/server/room-server.ts'
import type { Seat } from '../../../src/rooms/server/seat.ts'
import { stage } from '../../messages/kit.ts'
import { join, serve, TroubledRelay } from './kit.ts'

t.test('names of rooms', async t => {
  t.equal(nameFault('r', 1), undefined)
  t.match(nameFault('rr', 1), /at most 1/)
  t.match(nameFault('', 1), /not empty/)
  t.match(nameFault(undefined, 1), /must be text/)
})

stage(t, 'joining: what is refused', async (t, stage) => {
  const { server, enter } = await serve(stage, { rooms_per_member: 2, max_rooms: 2 })
  const [ann, bob] = [await enter(), await enter()]
  const long = 'x'.repeat(10_000)
  t.same(await ann.say(join(''), { type: '_join' }, { type: '_join', room: 7 }, join(long)), [
    ...Array(3).fill(
      '{"status":"refused","room":"","reason":"the name of a room must be text, not empty"}',
    ),
    `{"status":"refused","room":"${'x'.repeat(900)}",` +
      '"reason":"the name of a room has at most 256 characters"}',
  ])
  t.same(await ann.say(join('a'), join('a'), join('b'), join('c'), join('a')), [
    '{"status":"joined","room":"a"}',
    '{"status":"joined","room":"a"}',
    '{"status":"joined","room":"b"}',
    '{"status":"refused","room":"c","reason":"a member may be in 2 rooms"}',
    '{"status":"joined","room":"a"}',
  ])
  t.same(await bob.say(join('c'), join('a')), [
    '{"status":"refused","room":"c","reason":"there are too many rooms"}',
    '{"status":"joined","room":"a"}',
  ])
  t.same(await bob.say({ type: '_leave', room: 'never joined' }), [
    '{"status":"left","room":"never joined"}',
  ])
  t.same(server.rooms(), ['a', 'b'])
})

stage(t, 'a name, and a client', async (t, stage) => {
  const { server, enter } = await serve(stage)
  const ann = await enter()
  await ann.say(join('a', { name: 'n'.repeat(100), client: 'c'.repeat(100) }))
  t.equal(server.members()[0]!.name, 'n'.repeat(64))
  await ann.say(join('b', { name: '', client: '' }))
  t.equal(server.members()[0]!.name, 'n'.repeat(64))
})

stage(t, 'who leaves while the program decides', async (t, stage) => {
  let decide = (): void => {}
  const hooks: Partial<RoomServer> = {
    on_join: () => new Promise<void>(resolve => (decide = resolve)),
  }
  const { server, enter } = await serve(stage, { hooks })
  const ann = await enter()
  await ann.say(join('a'))
  ann.channel.close()
  await stage.pump()
  decide()
  await stage.pump()
  t.same(server.rooms(), [])
})

stage(t, 'hooks decide', async (t, stage) => {
  const hooks: Partial<RoomServer> = {
    on_join: async (_member, room) => {
      if (room === 'bug') throw new Error('a bug')
      return room === 'why' ? 'because' : room !== 'no'
    },
    on_room_message: (_member, _room, data) => {
      if (data['later'] !== undefined) return Promise.reject(new Error('a late bug'))
      return data['text'] ?? data['bad'] ?? undefined
    },
    on_message: () => false,
    on_error: () => {},
  }
  const { enter } = await serve(stage, { hooks })
  const [ann, bob] = [await enter(), await enter()]
  t.same(await ann.say(join('no'), join('why'), join('bug'), join('r')), [
    '{"status":"refused","room":"no","reason":"not allowed"}',
    '{"status":"refused","room":"why","reason":"because"}',
    '{"status":"refused","room":"bug","reason":"the server has failed"}',
    '{"status":"joined","room":"r"}',
  ])
  await bob.say(join('r'))
  const texts = [{ text: 'x' }, { text: false }, { later: 1 }, { plain: 1 }]
  t.same(await ann.say(...texts.map(each => ({ _room: 'r', ...each }))), [
    '{"status":"dropped","room":"r","reason":"the server has failed"}',
  ])
  t.same(bob.news(), ['{"message":"x","_room":"r"}', '{"plain":1,"_room":"r"}'])
  t.same(await ann.say({ _room: 'q' }, 'no echo'), [
    '{"status":"dropped","room":"q","reason":"you are not in the room"}',
  ])
})

stage(t, 'a hook that returns what has no JSON', async (t, stage) => {
  const errors: string[] = []
  const hooks: Partial<RoomServer> = {
    on_room_message: () => () => {},
    on_error: error => void errors.push((error as Error).message),
  }
  const { enter } = await serve(stage, { hooks })
  const ann = await enter()
  t.same((await ann.say(join('r'), { _room: 'r' })).slice(1), [
    '{"status":"dropped","room":"r","reason":"the server has failed"}',
  ])
  t.match(errors, [/^on_room_message: function/])
  t.same(await ann.say({ type: '_leave', room: 'r' }), ['{"status":"left","room":"r"}'])
})

/** on_join was looked for when the server began to listen: later it let everybody in. */
stage(t, 'hooks that are assigned while it listens, and one that fails', async (t, stage) => {
  const { server, enter } = await serve(stage, { hooks: { on_error() {} } })
  const ann = await enter()
  server.on_join = (_, room) => room === 'r'
  server.on_room_message = (_member, _room, data) => ({ ...data, seen: true })
  server.on_message = () => {
    throw new Error('a bug')
  }
  t.same(await ann.say(join('q'), join('r'), { _room: 'q' }, { _room: 'r' }, 'x'), [
    '{"status":"refused","room":"q","reason":"not allowed"}',
    '{"status":"joined","room":"r"}',
    '{"status":"dropped","room":"q","reason":"you are not in the room"}',
    '{"status":"dropped","reason":"the server has failed"}',
  ])
})

/** The sender was told nothing, and emit() threw, which it does in no other case. */
stage(t, 'a message that the relay refuses', async (t, stage) => {
  const relay = new TroubledRelay(stage.engine)
  relay.publish = () => {
    throw new RelayError('ERR_RELAY_REFUSED', 'too long')
  }
  const errors: string[] = []
  const hooks: Partial<RoomServer> = { on_error: error => void errors.push(codeOf(error)) }
  const { server, enter } = await serve(stage, { hooks, relay })
  const ann = await enter()
  t.same(await ann.say(join('r'), { _room: 'r' }), [
    '{"status":"joined","room":"r"}',
    '{"status":"dropped","room":"r","reason":"the server has failed"}',
  ])
  server.emit('r', 'x')
  t.same(errors, ['ERR_RELAY_REFUSED', 'ERR_RELAY_REFUSED'])
})

stage(t, 'messages of rooms', async (t, stage) => {
  const { enter } = await serve(stage)
  const [ann, bob] = [await enter(), await enter()]
  await ann.say(join('a'))
  await bob.say(join('a'))
  t.same(await ann.say({ _room: 7 }, { _room: '' }, { _room: 'x'.repeat(257) }), [
    '{"status":"dropped","reason":"the name of a room must be text, not empty"}',
    '{"status":"dropped","reason":"the name of a room must be text, not empty"}',
    `{"status":"dropped","room":"${'x'.repeat(257)}",` +
      '"reason":"the name of a room has at most 256 characters"}',
  ])
  await ann.say(
    '{"_room":"a",\n"x":1.0}',
    '{"_room":"a","_seq":99,"x":2.0}',
    '{"_room":"a","x":3.0}',
  )
  t.same(bob.news(), ['{"_room":"a","x":1}', '{"_room":"a","x":2}', '{"_room":"a","x":3.0}'])
  const eve = await enter()
  t.same(await eve.say('{"_room":"a","from":"outside"}'), [], 'as the sample server')
  t.same(bob.news(), ann.news())
  t.same(await ann.say({ type: '_join', room: 'b', _room: 'a' }), [])
  t.same(bob.news(), ['{"type":"_join","room":"b","_room":"a"}'], 'a message of that room')
})

t.test('text that is text already', async t => {
  const log: string[] = []
  const owner = { values: { echo: true }, call: () => undefined } as unknown as IncomingOwner
  const seat = { answer: (text: string) => void log.push(text) } as Seat
  t.equal(hear(owner, seat, 'hello'), undefined)
  t.same(log, ['Echo: hello'])
})

stage(t, 'messages to the server', async (t, stage) => {
  const { enter } = await serve(stage)
  const ann = await enter()
  t.same(await ann.say('{"a":\n1}', 'two\nlines', 'null', '[1]', '{"status":"joined"}'), [
    '{"echo": {"a":1}}',
    'Echo: two\nlines',
    '{"echo": null}',
    '{"echo": [1]}',
    '{"echo": {"status":"joined"}}',
  ])
  ann.channel.post(Buffer.from([0xff]))
  t.same(await ann.say(), ['{"status":"dropped","reason":"bytes that are no text"}'])
})

stage(t, 'without echoes they go to all others', async (t, stage) => {
  const { enter } = await serve(stage, { echo: false })
  const [ann, bob, eve] = [await enter(), await enter(), await enter()]
  t.same(await ann.say('hello', '{"a":\n1}', '{"status":"joined","room":"r"}'), [
    '{"status":"dropped","reason":"status is for the server to say"}',
  ])
  t.same(
    [bob.news(), eve.news()],
    [
      ['hello', '{"a":1}'],
      ['hello', '{"a":1}'],
    ],
  )
})

stage(t, 'the relay refuses', async (t, stage) => {
  const relay = new TroubledRelay(stage.engine)
  const errors: string[] = []
  const hooks: Partial<RoomServer> = {
    on_error: error => void errors.push((error as Error).message),
  }
  const { server, enter } = await serve(stage, { relay, history: true, hooks })
  const ann = await enter()
  relay.subscribe = () => Promise.reject(new Error('refused'))
  t.same(await ann.say(join('r')), [
    '{"status":"refused","room":"r","reason":"the room is out of reach"}',
  ])
  t.same([errors, server.rooms()], [['refused'], []])
})

stage(t, 'more than the relay takes', async (t, stage) => {
  const relay = new TroubledRelay(stage.engine)
  const { enter } = await serve(stage, { relay, history: true })
  const ann = await enter()
  await ann.say(join('r'))
  relay.append = () => new Promise(() => {})
  for (let i = 0; i < 70; i++) await ann.say({ _room: 'r', text: 'x'.repeat(60_000) })
  t.match(ann.news().concat(await ann.say({ _room: 'r', text: 'x'.repeat(60_000) })), [
    '{"status":"dropped","room":"r","reason":"too much waits to be stored"}',
  ])
})
