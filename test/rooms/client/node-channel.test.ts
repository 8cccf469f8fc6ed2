/** The channel in Node: its URLs and options. */

import t from 'tap'
import { Engine } from '../../../src/engine.ts'
import { Context } from '../../../src/messages/context.ts'
import { Channel } from '../../../src/rooms/client/node-channel.ts'
import { RoomChannel } from '../../../src/rooms/client/room-channel.ts'
import { until } from '../../kit.ts'
import { SampleServer } from '../kit.ts'

t.test('by message channels, and by WebSocket', async t => {
  const logged: string[] = []
  const engine = new Engine({ log: message => logged.push(message) })
  const context = new Context({ engine })
  const server = await new SampleServer(context, 'mem://;mode=server;name=rooms').start()
  const options = { context, auto_reconnect: true, reconnect_delay: 0 }
  const channel = new Channel(server.url, options)
  t.ok(channel instanceof RoomChannel)
  await channel.connect()
  await channel.send('x')
  await until(() => server.got.length === 1)
  const closed = new Promise(resolve => channel.on_close(resolve))
  server.kick()
  await closed
  const again = new Promise(resolve => channel.on_open(() => resolve(true)))
  await again
  channel.on_close(() => {
    throw new Error('of a handler')
  })
  await channel.close()
  t.same(logged, [`${server.url}: of a handler`])
  server.stop()
  await t.rejects(channel.connect(), { code: 'ERR_INVALID_URL' }, 'there is no such master')
  const other = new Channel('ws://127.0.0.1:1/', { engine, headers: { cookie: 'x' } })
  await t.rejects(other.connect(), {
    code: 'ECONNREFUSED',
    message:
      /^ws:\/\/127.0.0.1:1\/ \(connecting\): Failed to connect: .*; check the URL and the server$/,
  })
  await engine.stop()
})

/**
 * The waits were timers of the engine, which `stop` drops: a channel that waited for its next
 * attempt said that it would connect again, and one that connected in that moment never settled.
 */
t.test('an engine that stops closes it', async t => {
  const server = new SampleServer(
    new Context({ engine: new Engine() }),
    'tcp://127.0.0.1:0;mode=server;frame=line',
  )
  await server.start()
  const engine = new Engine()
  const context = new Context({ engine })
  const make = () => new Channel(server.url, { context, auto_reconnect: true })
  const [lost, opening, closing] = [make(), make(), make()]
  const told: string[] = []
  lost.on_error(error => told.push(error.message))
  for (const each of [opening, closing]) each.on_error(() => {})
  await lost.connect()
  const waits = new Promise(resolve => lost.on_reconnecting(resolve))
  server.kick()
  await waits
  t.ok(await lost.send('later').then(() => true))
  const promise = opening.connect()
  closing.connect().catch(() => {})
  const closed = closing.close()
  await engine.stop()
  await t.rejects(promise, { code: 'ERR_CLOSED' })
  await closed
  // It was told nothing, and would not try again.
  t.match(told, [/gave up: the engine stops; connect\(\) tries again$/])
  await t.rejects(lost.send('x'), { code: 'ERR_INVALID_STATE' })
  await until(() => [lost, opening, closing].every(each => each.ready_state === 3))
  server.stop()
})

t.test('misuse', async t => {
  const make = (url: unknown, options?: object) => () => new Channel(url as string, options)
  t.throws(make('ws://a:b'), { code: 'ERR_INVALID_ADDRESS' })
  t.throws(make('nothing'), { code: 'ERR_INVALID_URL' })
  // It was told by connect() only.
  const unknown = { code: 'ERR_INVALID_URL', message: /no protocol "foo"; there are .*mem.*ws/ }
  t.throws(make('foo://x'), unknown)
  // `headers: 5` sent none; `tls: 5` was told by Node, when it connected.
  t.throws(make('wss://a', { headers: 5 }), { message: /^new Channel: headers must be an object/ })
  t.throws(make('wss://a', { headers: { a: '\n' } }), { message: /^new Channel: a must be text/ })
  t.throws(make('wss://a', { tls: 5 }), { message: /^new Channel: tls must be an object of Node/ })
  t.throws(make(5), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(make('ws://a', { reconect_delay: 5 }), { message: /did you mean reconnect_delay\?/ })
  t.throws(make('ws://a', { engine: {} }), { message: /^new Channel: engine must be an Engine/ })
  t.throws(make('ws://a', { context: {} }), { message: /^new Channel: context must be a Context/ })
  t.ok(make('ws://a')())
  // It took all away.
  const channel = new Channel('ws://a')
  t.throws(() => channel.clear_handlers(...(['message'] as unknown as [])), {
    code: 'ERR_INVALID_ARGUMENT',
  })
  channel.clear_handlers()
})
