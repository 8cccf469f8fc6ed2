/** The room server as a program and its members see it, over every transport in memory. */

import t from 'tap'
import { Member } from '../../../src/rooms/server/member.ts'
import { RoomServer } from '../../../src/rooms/server/room-server.ts'
import { fate, thrown } from '../../kit.ts'
import { stage } from '../../messages/kit.ts'
import { join, plain, serve } from './kit.ts'

for (const url of ['mem://', 'ws://127.0.0.1:1/chat', 'tcp://:1;frame=line', 'unix:///tmp/rooms'])
  stage(t, `as the sample server: ${url}`, async (t, stage) => {
    const { server, enter } = await serve(stage, { url })
    t.equal(server.state, 'active')
    const [ann, bob, eve] = [await enter(), await enter(), await enter()]
    t.same(await ann.say(join('r')), ['{"status":"joined","room":"r"}'])
    await bob.say(join('r'))
    const hi = '{"_room":"r","text":"hi","big":12345678901234567890}'
    t.same(await ann.say(hi), [], 'not to the one who says it')
    t.same(bob.news().slice(-1), [hi], 'unchanged, to the last digit')
    t.same(await ann.say('hello', { x: 1 }, '5'), [
      'Echo: hello',
      '{"echo": {"x":1}}',
      '{"echo": 5}',
    ])
    t.same(await eve.say({ _room: 'r', from: 'outside' }), [])
    t.same(
      [ann.news(), bob.news()],
      [['{"_room":"r","from":"outside"}'], ['{"_room":"r","from":"outside"}']],
    )
    t.same(server.rooms(), ['r'])
    t.same([server.members('r').length, server.members().length, server.members('q')], [2, 3, []])
    t.same(await bob.say({ type: '_leave', room: 'r' }), ['{"status":"left","room":"r"}'])
    await ann.say(hi)
    t.same(bob.news(), [])
    ann.channel.close()
    await stage.pump()
    t.same(server.rooms(), [], 'an empty room is gone')
    server.close()
    await stage.pump()
    t.equal(await fate(server.closed), 'local')
    t.same([server.rooms(), server.members(), server.names('r')], [[], [], []])
  })

stage(t, 'options', async (t, { engine }) => {
  t.equal(
    thrown(() => new RoomServer({ engine, context: {} as never })),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => new RoomServer({ engine, histroy: 5 } as object)),
    'ERR_INVALID_ARGUMENT',
  )
})

stage(t, 'hooks', async (t, stage) => {
  const log: string[] = []
  const hooks: Partial<RoomServer> = {
    on_listen: () => void log.push('listen'),
    on_connect: () => void log.push('connect'),
    on_join: async (member, room) => {
      log.push(`join ${room} ${member.rooms}`)
      await null
      if (room === 'no') return false
      if (room === 'why') return 'because'
      if (room === 'bug') throw new Error('a bug')
      return undefined
    },
    on_leave: (_member, room) => void log.push(`leave ${room}`),
    on_room_message: (_member, _room, data) => {
      if (data['drop']) return false
      if (data['replace']) return { other: true }
      if (data['text']) return 'text'
      if (data['bad']) return () => {}
      if (data['bug']) throw new Error('another bug')
      if (data['later']) return Promise.reject(new Error('a late bug'))
      data['seen'] = true
      return undefined
    },
    on_message: (_member, data) => data !== 'silent',
    on_disconnect: (_member, reason) => void log.push(`disconnect ${reason}`),
    on_error: error => void log.push(`error ${(error as Error).message}`),
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
  const names = ['drop', 'replace', 'text', 'bad', 'bug', 'later', 'plain']
  const dropped = '{"status":"dropped","room":"r","reason":"the server has failed"}'
  t.same(
    await ann.say(...names.map(name => ({ _room: 'r', _seq: 9, [name]: 1 }))),
    [dropped, dropped, dropped],
    'bad, bug and later',
  )
  t.same(bob.news(), [
    '{"other":true,"_room":"r"}',
    '{"message":"text","_room":"r"}',
    '{"plain":1,"seen":true,"_room":"r"}',
  ])
  t.same(await ann.say({ _room: 'q' }), [
    '{"status":"dropped","room":"q","reason":"you are not in the room"}',
  ])
  t.same(await ann.say('silent', 'loud'), ['Echo: loud'])
  ann.channel.close()
  await stage.pump()
  t.same(log, [
    'listen',
    'connect',
    'connect',
    'join no ',
    'join why ',
    'join bug ',
    'error a bug',
    'join r ',
    'join r ',
    'error on_room_message: function has no JSON',
    'error another bug',
    'error a late bug',
    'leave r',
    'disconnect ',
  ])
})

stage(t, 'emit', async (t, stage) => {
  const { server, enter } = await serve(stage)
  const [ann, bob] = [await enter(), await enter()]
  await ann.say(join('__proto__'))
  await bob.say(join('__proto__'))
  const [first] = server.members()
  server.emit('__proto__', { news: 1 })
  server.emit('__proto__', 'text', { except: first, volatile: true })
  server.emit('nobody is there', 1)
  await stage.pump()
  t.same(ann.news(), ['{"news":1,"_room":"__proto__"}'])
  t.same(bob.news(), ['{"news":1,"_room":"__proto__"}', '{"message":"text","_room":"__proto__"}'])
  const wrong: unknown[][] = [
    ['', 1],
    [7, 1],
    ['r', Buffer.from('x')],
    ['r', undefined],
    ['r', 1, { except: {} }],
    ['r', 1, { volatile: 1 }],
    ['r', 1, { exept: first }],
  ]
  for (const args of wrong)
    t.equal(
      thrown(() => server.emit(...(args as [string, unknown]))),
      'ERR_INVALID_ARGUMENT',
      String(args),
    )
  for (const call of [() => server.members(5 as never), () => server.names('')])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT', 'a name that is none has no members, in silence')
  t.ok(first instanceof Member)
  server.close()
  t.equal(
    thrown(() => server.emit('r', 1)),
    'ERR_INVALID_STATE',
  )
})

stage(t, 'settings: options, fields and assignments', async (t, stage) => {
  class Chat extends RoomServer {
    override echo = false
    override rooms_per_member = 1
  }
  const { engine, context } = stage
  const server = new Chat({ context, rooms_per_member: 2 })
  t.equal(server.engine, engine, 'that of the context')
  server.max_rooms = 3
  server.listen('mem://')
  await stage.pump()
  t.same([server.echo, server.rooms_per_member, server.max_rooms], [false, 2, 3])
  t.equal(
    thrown(() => new RoomServer({ engine, max_room: 1 } as object)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => server.close('x' as never)),
    'ERR_INVALID_ARGUMENT',
  )
})

stage(t, 'an error before it listens closes it', async (t, stage) => {
  const { engine, context, logged } = stage
  const first = new RoomServer({ engine, context }).listen('tcp://:1')
  await stage.pump()
  const server = new RoomServer({ engine, context }).listen('tcp://:1')
  await stage.pump()
  t.match(logged, [/EADDRINUSE/])
  t.equal(server.state, 'closed')
  t.equal(first.state, 'active')
  first.on_error(new Error('a peer was turned away'))
  t.equal(first.state, 'active')
})

stage(t, 'presence', async (t, stage) => {
  const log: string[] = []
  const hooks: Partial<RoomServer> = {
    on_presence: (room, came, went) => void log.push(`${room} +${came} -${went}`),
  }
  const { server, enter } = await serve(stage, { presence: true, hooks })
  const [ann, bob] = [await enter(), await enter()]
  await ann.say(join('r', { name: 'Ann' }))
  t.same(await bob.say(join('r', { name: 'Bob' })), [
    '{"status":"joined","room":"r"}',
    '{"status":"presence","room":"r","came":["Ann"],"went":[]}',
    '{"status":"presence","room":"r","came":["Bob"],"went":[]}',
  ])
  t.same(server.names('r'), ['Ann', 'Bob'])
  ann.channel.close()
  await stage.pump()
  t.same(plain(bob.news()), ['{"status":"presence","room":"r","came":[],"went":["Ann"]}'])
  t.same(log, ['r +Ann -', 'r +Bob -', 'r + -Ann'])
})

stage(t, 'by default hooks do nothing', async (t, stage) => {
  const { server, enter } = await serve(stage)
  const ann = await enter()
  await ann.say(join('r'), { _room: 'r' })
  const [member] = server.members()
  t.equal(server.on_join(member!, 'r'), undefined)
  t.equal(server.on_room_message(member!, 'r', {}), undefined)
  t.equal(server.on_presence('r', [], []), undefined)
})
