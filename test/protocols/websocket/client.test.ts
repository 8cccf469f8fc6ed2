/** A client's end: addresses, TLS, and what must not be asked for. */

import t from 'tap'
import { LIFE } from '../../../src/channels/life.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { WebSocketClient } from '../../../src/protocols/websocket/client.ts'
import { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import { WebSocketServer } from '../../../src/protocols/websocket/server.ts'
import { scene, thrown } from '../../kit.ts'
import { answerTo, listen, watched } from './kit.ts'

/** Its messages would go to a hook that expects bytes. */
class Bytes extends WebSocketClient {
  override on_read(): void {}
}

class Caller extends watched<WebSocketClient>(WebSocketClient) {}

scene(t, 'addresses', async (t, world) => {
  const { peers } = await listen(world)
  const { engine } = world
  new Caller({ engine }).connect(['localhost', 1])
  new Caller({ engine }).connect('ws://me:x@localhost:1/a?b', { headers: { Cookie: 'c' } })
  await world.pump()
  t.match(peers[0]!.raw.news, /^GET \/ HTTP\/1.1\r\nHost: localhost:1\r\n/)
  t.match(
    peers[1]!.raw.news,
    /^GET \/a\?b HTTP\/1.1\r\n(.*\r\n)*Authorization: Basic bWU6eA==\r\nCookie: c\r\n\r\n$/,
  )
})

scene(t, 'both ends, with a subprotocol', async (t, world) => {
  class Chat extends watched<WebSocketConnection>(WebSocketConnection) {
    override on_message(data: string | Buffer): void {
      this.send(data)
    }
  }
  new WebSocketServer(Chat, { engine: world.engine, protocols: ['b'] }).listen(1)
  await world.pump()
  const client = new Caller({ engine: world.engine })
  client.connect('ws://localhost:1', { protocols: ['a', 'b'] })
  await world.pump()
  t.same([client.news, client.protocol], [['connect b'], 'b'])
  client.send('hi')
  await world.pump()
  client.end(3000)
  await world.pump()
  t.same(client.news, ['text hi', 'close local 3000'])
})

scene(t, 'what is sent while it connects waits, and comes first', async (t, world) => {
  const got: string[] = []
  class Chat extends WebSocketConnection {
    override on_message(data: string | Buffer): void {
      got.push(String(data))
    }
  }
  new WebSocketServer(Chat, { engine: world.engine }).listen(1)
  await world.pump()
  const client = new WebSocketClient({ engine: world.engine })
  client.on_connect = () => void client.send('from on_connect')
  client.connect('ws://localhost:1').send('early')
  await world.pump()
  t.same(got, ['early', 'from on_connect'])
})

// send() and end() right after connect(): the message and the code were dropped in silence.
scene(t, 'ended while it connects: what was sent goes out first', async (t, world) => {
  const got: unknown[] = []
  class Chat extends WebSocketConnection {
    override on_message(data: string | Buffer) {
      got.push(String(data))
    }
    override on_close() {
      got.push(this.close_code, this.close_reason)
    }
  }
  const server = new WebSocketServer(Chat, { engine: world.engine }).listen(1)
  await world.pump()
  const client = new Caller({ engine: world.engine }).connect('ws://localhost:1')
  client.send('early')
  client.end(3000, 'enough')
  t.equal(client.send('late'), false)
  await world.pump()
  t.same(got.splice(0), ['early', 3000, 'enough'])
  t.same(client.news, ['close local 3000 enough'])
  client.connect('ws://localhost:1')
  await world.pump()
  client.end()
  await world.pump()
  t.same(got.splice(0), [1000, ''], 'the code was that of one connection')

  // A server that says goodbye behind its handshake is heard.
  class Brief extends WebSocketConnection {
    override on_connect() {
      this.end(4000)
    }
  }
  server.ConnectionClass = Brief as never
  const other = new Caller({ engine: world.engine }).connect('ws://localhost:1')
  other.send('early')
  other.end()
  await world.pump()
  t.match(other.news, [/^close (local|remote) (1000|4000)$/])
})

scene(t, 'mistakes', async (t, { engine }) => {
  const client = new Caller({ engine })
  const rows: [() => unknown, string][] = [
    [() => client.connect('ws://a#b'), 'ERR_INVALID_ADDRESS'],
    [() => client.connect('ws://a', { protocols: ['a b'] }), 'ERR_INVALID_ARGUMENT'],
    [() => client.connect('ws://a', { protocol: 'a' } as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.connect('ws://a', null as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.connect('ws://a', 5 as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.connect('ws://a', { protocols: ['a', 'a'] }), 'ERR_INVALID_ARGUMENT'],
    [() => client.connect('ws://a', { headers: { Host: 'b' } }), 'ERR_INVALID_ARGUMENT'],
    [() => client.connect('ws://a', { port: 1 } as object), 'ERR_INVALID_ARGUMENT'],
    [() => new Bytes({ engine }).connect('ws://a'), 'ERR_INVALID_STATE'],
  ]
  for (const [call, code] of rows) t.equal(thrown(call), code, String(call))
  client.connect('ws://a')
  t.equal(
    thrown(() => client.connect('ws://a')),
    'ERR_INVALID_STATE',
  )
  client.close()
})

scene(t, 'wss begins with TLS, and offers no HTTP/2; ws does not', async (t, world) => {
  const { engine } = world
  const tlsOf = (client: WebSocketClient): unknown => (client[LIFE].driver as StreamLink).values.tls
  const client = new Caller({ engine })
  client.connect('wss://localhost:1')
  t.same(tlsOf(client), { ALPNProtocols: ['http/1.1'] })
  client.close()
  await world.pump()
  client.connect('ws://localhost:1')
  t.equal(tlsOf(client), undefined)
  client.close()
  const own = new Caller({ engine, tls: { ca: [] } })
  t.equal(
    thrown(() => own.connect('ws://localhost:1')),
    'ERR_INVALID_ARGUMENT',
  )
  own.connect('wss://localhost:1')
  t.same(tlsOf(own), { ca: [] })
  own.close()
})

scene(t, 'both ends, compressed', async (t, world) => {
  class Chat extends WebSocketConnection {
    override on_message(data: string | Buffer): void {
      this.send(data)
    }
  }
  new WebSocketServer(Chat, { engine: world.engine, deflate: true }).listen(1)
  await world.pump()
  const client = new Caller({ engine: world.engine, deflate: true }).connect('ws://localhost:1')
  await world.pump()
  const large = 'word '.repeat(1000)
  client.send(large)
  client.send('small')
  client.news
  const news: string[] = []
  while (news.length < 2) {
    await world.pump()
    news.push(...client.news)
  }
  t.same(news, [`text ${large}`, 'text small'])
  t.ok(client.bytes_read < 1000)
})

scene(t, 'compression that was agreed to in another way', async (t, world) => {
  const { peers } = await listen(world)
  const client = new Caller({ engine: world.engine, deflate: true }).connect('ws://localhost:1')
  await world.pump()
  peers[0]!.write(answerTo(peers[0]!.raw.news, 'Sec-WebSocket-Extensions: x\r\n'))
  await world.pump()
  t.match(client.news, [/^connect_error .*not as offered/, 'close error undefined'])
})
