/** Opening and closing a room server. */

import t from 'tap'
import { WebSocketServer } from '../../../src/protocols/websocket/server.ts'
import { RoomServer } from '../../../src/rooms/server/room-server.ts'
import { fate, thrown } from '../../kit.ts'
import { stage } from '../../messages/kit.ts'
import { enter, join, serve, TroubledRelay } from './kit.ts'

stage(t, 'several places, one chat', async (t, stage) => {
  const { engine, context, pump } = stage
  const server = new RoomServer({ engine, context, history: 5 })
  t.same([server.client_urls, server.suspended], [[], false])
  t.equal(
    thrown(() => server.emit('r', 'x')),
    'ERR_INVALID_STATE',
  )
  server.listen('mem://;name=rooms', 'tcp://:1;frame=line;send-buffer-size=1kb', 'unix:///tmp/r')
  t.equal(server.state, 'opening')
  t.same(server.client_urls, ['mem://;master=rooms'], 'a port is known when it is open')
  t.equal(
    thrown(() => server.listen('mem://')),
    'ERR_INVALID_STATE',
  )
  await pump()
  t.match(server.client_urls, ['mem://;master=rooms', /^tcp:/, /^unix:/])
  t.match(String(server), '[object Object]')
  const other = await enter(stage, { client_urls: [server.client_urls[1]] } as RoomServer)
  const ann = await enter(stage, server)
  await ann.say(join('r'))
  await other.say(join('r'))
  await ann.say({ _room: 'r', text: 'hi' })
  t.match(other.news(), [/hi/])
  server.emit('r', 'of the server')
  await pump()
  t.match(other.news(), [/of the server/])
  t.match(ann.news(), [/of the server/])
  server.suspend()
  t.same(await other.say({ _room: 'r', text: 'waits' }), [])
  t.same(ann.news(), [])
  server.resume()
  await pump()
  t.match(ann.news(), [/waits/])
  t.equal(
    thrown(() => server.listen('mem://')),
    'ERR_INVALID_STATE',
  )
  server.end()
  server.end()
  t.equal(server.state, 'closing')
  t.equal(
    thrown(() => server.listen('mem://')),
    'ERR_INVALID_STATE',
  )
  await pump()
  t.equal(await fate(server.closed), 'local')
  server.close()
  server.history = { count: 7, age: 1000 }
  server.listen('mem://')
  await pump()
  t.equal(server.state, 'active')
})

stage(t, 'what is no place', async (t, { engine, context }) => {
  const server = new RoomServer({ engine, context })
  for (const [places, code] of [
    [[], 'ERR_INVALID_ARGUMENT'],
    [[7], 'ERR_INVALID_ARGUMENT'],
    [['mem://', {}], 'ERR_INVALID_ARGUMENT'],
    [['nonsense'], 'ERR_INVALID_URL'],
    [['tcp://:1;mode=client'], 'ERR_INVALID_URL'],
    [['mem://', 'tcp://:1;frmae=line'], 'ERR_INVALID_URL'],
  ] as const)
    t.equal(
      thrown(() => server.listen(...(places as unknown as string[]))),
      code,
      String(places),
    )
  t.equal(
    thrown(() => new RoomServer({ engine }).listen('nonsense')),
    'ERR_INVALID_URL',
  )
  server.relay = 'nonsense://'
  t.equal(
    thrown(() => server.listen('mem://')),
    'ERR_INVALID_ARGUMENT',
  )
  t.same([server.state, context.channels.size], ['closed', 0])
  t.equal(
    thrown(() => new RoomServer({ engine, context: {} as never }).listen('mem://')),
    'ERR_INVALID_ARGUMENT',
  )
})

stage(t, 'while the engine stops', async (t, { engine, context }) => {
  const server = new RoomServer({ engine, context })
  const stopped = engine.stop({ timeout: 1 })
  t.equal(
    thrown(() => server.listen('mem://', new WebSocketServer({ engine }))),
    'ERR_INVALID_STATE',
  )
  await stopped
  t.equal(server.state, 'closed')
})

stage(t, 'closed while it opens', async (t, stage) => {
  const { engine, context, pump } = stage
  const relay = new TroubledRelay(engine)
  let fail = (_error: Error): void => {}
  Object.assign(relay, { opened: new Promise((_, reject) => (fail = reject)) })
  const errors: string[] = []
  const server = new RoomServer({ engine, context, relay })
  server.on_listen_error = error => void errors.push(error.message)
  server.listen('mem://')
  await pump()
  t.equal(server.state, 'opening')
  server.close()
  await pump()
  fail(new Error('a wrong password'))
  await pump()
  t.same([server.state, errors], ['closed', []])
  t.match(await fate(server.opened), /ERR_CLOSED/)
  Object.assign(relay, { opened: Promise.reject(new Error('a wrong password')) })
  server.listen('mem://')
  await pump()
  t.same([server.state, errors], ['closed', ['a wrong password']])
  Object.assign(relay, { opened: Promise.resolve() })
  let open = (): void => {}
  Object.assign(relay, { opened: new Promise<void>(resolve => (open = resolve)) })
  server.listen('mem://')
  await pump()
  server.close()
  open()
  await pump()
  t.same([server.state, errors.length], ['closed', 1])
  Object.assign(relay, { opened: Promise.resolve() })
  const quick = new RoomServer({ engine, context, relay })
  quick.on_state = state => {
    if (state === 'active') quick.close()
  }
  quick.on_listen = () => t.fail('it is closed')
  quick.listen('mem://')
  await pump()
  t.equal(quick.state, 'closed')
})

stage(t, 'errors of its channels', async (t, stage) => {
  const errors: string[] = []
  const { server } = await serve(stage, {
    url: 'tcp://:1;frame=line;max-connections=1',
    hooks: { on_error: error => void errors.push((error as Error).message) },
  })
  await enter(stage, server)
  await enter(stage, server)
  t.match(errors, [/turned away/])
  t.equal(server.state, 'active')
  const channel = [...stage.context.channels.values()][0]!
  channel.fail(new Error('all of it'))
  await stage.pump()
  t.same([server.state, errors.slice(1)], ['closed', ['all of it']])
  channel.on_error(new Error('late'))
  t.equal(errors.length, 2)
})

stage(t, 'a channel that fails while the server ends', async (t, stage) => {
  const { server, enter } = await serve(stage, { url: 'tcp://:1;frame=line' })
  const ann = await enter()
  ann.channel.suspend()
  server.emit('r', 'x')
  server.end()
  t.equal(server.state, 'closing')
  ;[...stage.context.channels.values()][0]!.fail(new Error('all of it'))
  await stage.pump()
  t.equal(server.state, 'closed')
})

stage(t, 'a relay that cannot be closed', async (t, stage) => {
  const { server } = await serve(stage)
  const { MemoryRelay } = await import('../../../src/relay/memory-relay.ts')
  const close = MemoryRelay.prototype.close
  MemoryRelay.prototype.close = () => Promise.reject(new Error('not now'))
  server.close()
  await stage.pump()
  MemoryRelay.prototype.close = close
  t.equal(server.state, 'closed')
  t.match(stage.logged, [/not now/])
})

stage(t, 'a hook that rejects', async (t, stage) => {
  const errors: string[] = []
  const { enter } = await serve(stage, {
    hooks: {
      on_connect: () => Promise.reject(new Error('a bug')),
      on_error: error => void errors.push((error as Error).message),
    },
  })
  await enter()
  t.same(errors, ['a bug'])
})

stage(t, 'engine.stop ends it', async (t, stage) => {
  const { server, enter } = await serve(stage, { url: 'ws://:1/chat' })
  const ann = await enter()
  const stopped = stage.engine.stop({ timeout: 10 })
  for (let i = 0; i < 5; i++) await stage.pump()
  await stage.advance(10)
  await stopped
  t.same([server.state, ann.channel.state], ['closed', 'closed'])
  t.equal(await server.closed, 'drain')
})
