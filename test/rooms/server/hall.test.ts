/** The inside of a server: who is let in, whose messages go where, two servers by one relay. */

import t from 'tap'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import { Hall, type HallOwner } from '../../../src/rooms/server/hall.ts'
import type { RoomServer } from '../../../src/rooms/server/room-server.ts'
import { ROOM_SERVER_DEFAULTS } from '../../../src/rooms/server/room-server-settings.ts'
import { stage } from '../../messages/kit.ts'
import { join, plain, serve, TroubledRelay } from './kit.ts'

for (const history of [false, true])
  stage(t, `two servers are one chat, history: ${history}`, async (t, stage) => {
    const relay = new MemoryRelay({ engine: stage.engine })
    const one = await serve(stage, { relay, history, presence: true })
    const two = await serve(stage, { relay, history, presence: true })
    const [ann, bob] = [await one.enter(), await two.enter()]
    await ann.say(join('r', { name: 'Ann' }))
    t.same(plain(await bob.say(join('r', { name: 'Bob' }))), [
      history ? '{"status":"joined","room":"r","seq":N}' : '{"status":"joined","room":"r"}',
      '{"status":"presence","room":"r","came":["Ann"],"went":[]}',
      '{"status":"presence","room":"r","came":["Bob"],"went":[]}',
    ])
    ann.news()
    await bob.say({ _room: 'r', text: 'hi' })
    t.match(ann.news(), [/^\{"_room":"r","text":"hi"/])
    two.server.emit('r', 1)
    await stage.pump()
    t.match(ann.news(), [/^\{"data":1,"_room":"r"/])
    two.server.close()
    await stage.pump()
    t.same(plain(ann.news()), ['{"status":"presence","room":"r","came":[],"went":["Bob"]}'])
    two.server.listen('mem://')
    await stage.pump()
    two.server.emit('r', 'to where no member is')
    await stage.pump()
    t.match(ann.news(), [/to where no member is/])
    one.server.close()
    two.server.close()
    await stage.pump()
    t.equal(relay.publish('x', 'y'), true, 'the relay of the program is not closed')
    await relay.close()
  })

// Found by random calls: a message that waited for the relay while its sender connected again came
// back to the sender.
stage(t, 'who comes back does not hear its own', async (t, stage) => {
  const relay = new TroubledRelay(stage.engine)
  const { enter, server } = await serve(stage, { relay, history: true })
  const [ann, bob] = [await enter(), await enter()]
  const [joined] = await ann.say(join('r'))
  const { seq, client } = JSON.parse(joined!) as { seq: number; client: string }
  await bob.say(join('r'))
  relay.isAway = true
  await ann.say({ _room: 'r', text: 'waits' })
  ann.channel.close()
  await stage.pump()
  relay.comeBack()
  const again = await enter()
  await again.say(join('r', { seq, client: 'of nobody' }), { type: '_leave', room: 'r' })
  t.equal((await again.say(join('r', { seq, client }))).length, 1)
  await stage.advance(2000)
  await stage.pump()
  t.match(bob.news(), [/"waits"/])
  t.match(again.news(), [/^\{"status":"seen"/])
  server.close()
  await stage.pump()
})

stage(t, 'too many members', async (t, stage) => {
  const { server, enter } = await serve(stage, { max_members: 1 })
  const [, bob] = [await enter(), await enter()]
  t.same(bob.news(), ['{"status":"closing","code":1013,"reason":"too many members"}'])
  t.equal(bob.channel.state, 'closed')
  t.equal(server.members().length, 1)
})

stage(t, 'too many rooms', async (t, stage) => {
  const { server, enter } = await serve(stage, { max_rooms: 1 })
  const ann = await enter()
  t.same(await ann.say(join('a'), join('b')), [
    '{"status":"joined","room":"a"}',
    '{"status":"refused","room":"b","reason":"there are too many rooms"}',
  ])
  t.same(server.rooms(), ['a'])
  await ann.say({ type: '_leave', room: 'a' })
  t.match(await ann.say(join('b')), [/joined/])
  const bob = await enter()
  t.match(await bob.say(join('b')), [/joined/])
})

stage(t, 'a member that is sent away as it comes', async (t, stage) => {
  const log: string[] = []
  const hooks: Partial<RoomServer> = {
    on_connect: member => member.disconnect(3000, 'no'),
    on_disconnect: (_member, reason) => void log.push(reason),
  }
  const { server, enter } = await serve(stage, { hooks })
  const ann = await enter()
  t.same(ann.news(), ['{"status":"closing","code":3000,"reason":"no"}'])
  t.same([log, server.members()], [['no'], []])
})

stage(t, 'what cannot be stored is told', async (t, stage) => {
  const relay = new TroubledRelay(stage.engine)
  const errors: string[] = []
  const hooks: Partial<RoomServer> = {
    on_error: error => void errors.push((error as Error).message),
  }
  const { server, enter } = await serve(stage, { relay, history: true, hooks })
  const ann = await enter()
  await ann.say(join('r'))
  relay.append_mode = 'refuse'
  server.emit('r', 1)
  server.emit('q', 1)
  await stage.pump()
  t.same(errors, ['no memory', 'no memory'])
  relay.append = () => new Promise(() => {})
  for (let i = 0; i < 10_001; i++) server.emit('r', '')
  relay.append = () => {
    throw new Error('too long')
  }
  server.emit('q', 1)
  t.same(errors.slice(2), ['emit to "r": too much waits to be stored', 'too long'])
})

stage(t, 'what a hook rejects with is handled', async (t, { engine }) => {
  const owner: HallOwner = {
    engine,
    values: ROOM_SERVER_DEFAULTS,
    overrides: () => false,
    call: () => Promise.reject(new Error('a bug')),
    failed: () => {},
  }
  const hall = new Hall(owner, new MemoryRelay({ engine }))
  await t.rejects(hall.call('on_join') as Promise<unknown>, /a bug/)
  t.equal(hall.size, 0)
})

stage(t, 'to all others, by every way in', async (t, stage) => {
  const { server, enter } = await serve(stage, { echo: false, url: 'tcp://:1;frame=line' })
  const [ann, bob, carl] = [await enter(), await enter(), await enter()]
  await ann.say('hello')
  t.same([ann.news(), bob.news(), carl.news()], [[], ['hello'], ['hello']])
  t.equal(server.members().length, 3)
})
