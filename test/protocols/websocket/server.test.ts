/** The server: its rules, what it is attached to, and what it sends to all. */

import { createServer } from 'node:http'
import t from 'tap'
import { Connection } from '../../../src/channels/basic.ts'
import { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import { WebSocketServer } from '../../../src/protocols/websocket/server.ts'
import { scene, thrown } from '../../kit.ts'
import { ACCEPTED, dial, frame, serve } from './kit.ts'

scene(t, 'without a class it makes plain connections', async (t, world) => {
  const { engine } = world
  for (const server of [
    new WebSocketServer(),
    new WebSocketServer({ engine }),
    new WebSocketServer(undefined, { engine }),
  ])
    t.equal(server.ConnectionClass, WebSocketConnection)
  class Chat extends WebSocketConnection {}
  t.equal(new WebSocketServer({ ConnectionClass: Chat, engine }).ConnectionClass, Chat)
  t.equal(new WebSocketServer(Chat).ConnectionClass, Chat)
  const server = new WebSocketServer({ engine }).listen(1)
  await world.pump()
  t.equal((await dial(world)).raw.news, ACCEPTED)
  server.close()
})

scene(t, 'settings', async (t, { engine }) => {
  const server = new WebSocketServer({ engine, path: '/a', message_size: 5 })
  t.same(
    [server.path, server.message_size, server.origins, server.ping_interval],
    ['/a', 5, undefined, undefined],
  )
  server.origins = '*'
  server.path = undefined
  server.pong_timeout = 7
  t.same([server.path, server.origins, server.pong_timeout], [undefined, '*', 7])
  t.equal(new WebSocketServer({ engine }).message_size, undefined)
  t.equal(new WebSocketServer({ engine }).path, undefined)
  class Own extends WebSocketServer {
    override path = '/own'
    override protocols = ['p']
  }
  const own = new Own({ engine }).listen(1)
  t.same([own.path, own.protocols], ['/own', ['p']])
  own.close()
  for (const path of ['a', '/a?b', '/a#b', '', 5, '/a b'])
    t.equal(
      thrown(() => (server.path = path as string)),
      'ERR_INVALID_ARGUMENT',
      String(path),
    )
  t.equal(
    thrown(() => new WebSocketServer({ engine, mesage_size: 1 } as object)),
    'ERR_INVALID_ARGUMENT',
  )
})

scene(t, 'what must not be listened with', async (t, { engine }) => {
  t.equal(
    thrown(() => new WebSocketServer(Connection as any, { engine }).listen(1)),
    'ERR_INVALID_ARGUMENT',
  )
  class Chunks extends WebSocketConnection {
    override on_read(): void {}
  }
  t.throws(
    () => new WebSocketServer(Chunks, { engine }).listen(1),
    /on_read\(\): a WebSocket has messages, and no bytes; send\(\) them, and override on_message/,
  )
  const tls = (ALPNProtocols: string[]): object => ({ engine, tls: { ALPNProtocols } })
  const served = (names: string[]): unknown => new WebSocketServer(tls(names)).listen(1)
  t.throws(() => served(['h2', 'http/1.1']), /without 'h2'/)
  t.throws(() => served(['http/1.1']), /certificate/, 'which is another matter')
})

scene(t, 'what must not be attached', async (t, { engine }) => {
  const http = createServer()
  const attached = (server: WebSocketServer, options?: object): string =>
    thrown(() => server.attach(http, options))
  const server = new WebSocketServer({ engine })
  t.equal(attached(new WebSocketServer(Connection as any, { engine })), 'ERR_INVALID_ARGUMENT')
  t.equal(attached(new WebSocketServer({ engine, tls: {} })), 'ERR_INVALID_ARGUMENT')
  t.equal(
    attached(new WebSocketServer({ engine, proxy_protocol: 'require' })),
    'ERR_INVALID_ARGUMENT',
  )
  for (const options of [{ paht: '/a' }, { path: 'a' }, { path: null }, 5, '/a'])
    t.equal(attached(server, options as object), 'ERR_INVALID_ARGUMENT')
  t.equal(
    thrown(() => server.attach(undefined as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.same([server.state, server.path, http.listenerCount('upgrade')], ['closed', undefined, 0])
  class Own extends WebSocketServer {
    override path = '/own'
  }
  const own = new Own({ engine }).attach(http)
  t.equal(own.path, '/own')
  t.equal(attached(own), 'ERR_INVALID_STATE')
  t.equal(
    thrown(() => own.listen(1)),
    'ERR_INVALID_STATE',
  )
  t.equal(server.attach(http, { path: '/a' }).path, '/a')
  t.equal(new WebSocketServer({ engine }).attach(http).path, undefined)
  server.close()
  t.equal(attached(server), 'ERR_INVALID_STATE')
  own.close()
  await server.closed
  await own.closed
  await server.attach(http, {}).opened
  t.equal(server.path, '/a', 'it stays')
})

scene(t, 'to all, but not to who has sent it', async (t, world) => {
  const { server, peer, channel } = await serve(world, WebSocketConnection)
  const others = [await dial(world), await dial(world)]
  const half = await dial(world, 'GET / HTTP/1.1\r\n')
  for (const each of [peer, ...others]) each.raw.news
  t.equal(server.broadcast('one'), 3)
  server.broadcast(Buffer.from('two'), { except: channel })
  await world.pump()
  const all = Buffer.concat([frame('one'), frame(Buffer.from('two'))]).toString('latin1')
  t.same(
    [peer, ...others, half].map(each => each.raw.news),
    [frame('one').toString('latin1'), all, all, ''],
  )
  t.equal(
    thrown(() => server.broadcast(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
})
