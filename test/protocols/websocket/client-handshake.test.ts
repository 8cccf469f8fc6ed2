/** A client's side of the opening handshake, with servers that speak byte by byte. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import type { ConnectError } from '../../../src/errors.ts'
import {
  WebSocketClient,
  type WebSocketClientOptions,
  type WebSocketConnectOptions,
} from '../../../src/protocols/websocket/client.ts'
import { ClientHandshake } from '../../../src/protocols/websocket/client-handshake.ts'
import type { HandshakeError } from '../../../src/protocols/websocket/errors.ts'
import { kit } from '../../channels/link-kit.ts'
import { scene, type World } from '../../kit.ts'
import { answerTo, frame, listen, type RawConnection, watched } from './kit.ts'

class Caller extends watched(WebSocketClient) {
  declare error: HandshakeError
  override on_connect_error(error: ConnectError): void {
    this['error'] = error as HandshakeError
    super.on_connect_error(error)
  }
}

/** A client that has asked, and the server. */
async function asking(
  world: World,
  options: WebSocketConnectOptions = {},
  url = 'ws://localhost:1/chat?a=1',
  settings: WebSocketClientOptions = {},
): Promise<{ client: Caller; peer: RawConnection; asked: string }> {
  const { peers } = await listen(world)
  const client = new Caller({ engine: world.engine, ...settings }).connect(url, options)
  await world.pump()
  const peer = peers[0]!
  return { client, peer, asked: peer.raw.news }
}

scene(t, 'what it asks for', async (t, world) => {
  const { asked, client } = await asking(world, { protocols: ['a', 'b'], headers: { 'X-A': 'c' } })
  t.match(
    asked,
    /^GET \/chat\?a=1 HTTP\/1.1\r\nHost: localhost:1\r\nUpgrade: websocket\r\nConnection: Up/,
  )
  t.match(asked, /\r\nSec-WebSocket-Protocol: a, b\r\nX-A: c\r\n\r\n$/)
  t.equal(client.state, 'opening')
  client.close()
})

scene(t, 'it opens with the response; a frame behind it is read', async (t, world) => {
  const { client, peer, asked } = await asking(world)
  peer.write(Buffer.concat([Buffer.from(answerTo(asked)), frame('hi')]))
  await world.pump()
  t.same(client.news, ['connect', 'text hi'])
})

scene(t, 'a response and its frames, byte by byte', async (t, world) => {
  const { client, peer, asked } = await asking(world, { protocols: ['p'] })
  const head = Buffer.from(answerTo(asked, 'Sec-WebSocket-Protocol: p\r\n'))
  for (const byte of Buffer.concat([head, frame('hi')])) {
    peer.write(Buffer.from([byte]), true)
    world.network.pump()
  }
  await world.pump()
  t.same(client.news, ['connect p', 'text hi'])
})

scene(t, 'other responses before it are skipped, but not without end', async (t, world) => {
  const { client, peer, asked } = await asking(world)
  peer.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHT')
  await world.pump()
  peer.write(answerTo(asked).slice(2))
  await world.pump()
  t.same(client.news, ['connect'])
})

scene(t, 'eleven responses are too many', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.write('HTTP/1.1 102 \r\n\r\n'.repeat(11))
  await world.pump()
  t.match(client.news, [/^connect_error .*too many/, 'close error undefined'])
})

scene(t, 'a refusal: status, fields, and the first bytes of the body', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.write('HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nse')
  await world.pump()
  t.same(client.news, [])
  peer.write('e /x')
  await world.pump()
  t.match(client['error'], { code: 'ERR_WEBSOCKET_HANDSHAKE', status: 302, body: 'see /' })
  t.equal(client['error'].headers['location'], '/x')
  t.match(client.news, [/^connect_error .*status 302/, 'close error undefined'])
})

scene(t, 'a body without an end: at most 4 KiB, or what came in a second', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.write(`HTTP/1.1 500 No\r\n\r\n${'x'.repeat(5000)}`)
  await world.pump()
  t.equal(client['error'].body.length, 4096)
})

scene(t, 'a body that does not come', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.write('HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nhalf')
  await world.pump()
  await world.advance(1125)
  t.match(client['error'], { status: 500, body: 'half' })
})

// It was told of ECONNRESET, not of the status that the server had sent.
scene(t, 'a server that resets behind its refusal', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.write('HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nsorry')
  await world.pump()
  world.network.reset(world.network.transports.at(-1)!)
  await world.pump()
  t.match(client['error'], { status: 401, body: 'sorry' })
})

scene(t, 'a server that ends behind its refusal, or before any response', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.write('HTTP/1.1 500 No\r\n\r\nsorry')
  peer.end()
  await world.pump()
  t.match(client['error'], { status: 500, body: 'sorry' })
})

scene(t, 'a server that ends in its head, or says nothing', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.write('HTTP/1.1')
  peer.end()
  await world.pump()
  t.match(client['error'], { status: 0, message: /middle of its head/ })
})

// Nobody was told: only `opened` was rejected, and on_close said 'remote', as after a good end.
scene(t, 'a server that closes without a word', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.end()
  await world.pump()
  t.match(client['error'], { code: 'ERR_WEBSOCKET_HANDSHAKE', message: /before it answered/ })
  t.same(client.news, [
    'connect_error the server ended before it answered',
    'close error undefined',
  ])
  t.equal(client.state, 'closed')
})

scene(t, 'a response that is no upgrade, and one that is no HTTP', async (t, world) => {
  const { client, peer, asked } = await asking(world)
  peer.write(answerTo(asked).replace(/Accept: ./, 'Accept: _'))
  await world.pump()
  t.match(client['error'], { status: 101, message: /does not fit the key/ })
})

scene(t, 'a response with a bare LF', async (t, world) => {
  const { client, peer } = await asking(world)
  peer.write('HTTP/1.1 101 x\n')
  await world.pump()
  t.match(client['error'], { status: 0, message: /the response is invalid: a line must end/ })
})

t.test('a transport that closes of itself, before any response', async t => {
  const { sink, transport, news } = await kit(t, Client, {}, false)
  const wish = { resource: '/', host: 'a', key: '', protocols: [], extensions: '', headers: {} }
  const never = (): never => t.fail() as never
  const side = { link: sink as StreamLink, wish, compressionOf: never, agreed: never }
  const handshake = new ClientHandshake(side)
  handshake.start()
  transport.sink!.closed()
  t.same([news(), handshake.isOver], [['close error'], true])
})

scene(t, 'compression that was not offered, or not so', async (t, world) => {
  const { client, peer, asked } = await asking(world, {}, undefined, { deflate: true })
  t.match(asked, /\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n/)
  peer.write(answerTo(asked, 'Sec-WebSocket-Extensions: permessage-deflate; x\r\n'))
  await world.pump()
  t.match(client['error'], { message: /not as offered/ })
})

scene(t, 'compression that was agreed on', async (t, world) => {
  const { client, peer, asked } = await asking(world, {}, undefined, { deflate: true })
  peer.write(answerTo(asked, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'))
  await world.pump()
  // "Hello", as the RFC has it in 7.2.3.1.
  const hello = Buffer.from('f248cdc9c90700', 'hex')
  peer.write(frame(hello, { opcode: 1, rsv: 4 }))
  await world.pump()
  t.same(client.news, ['connect', 'text Hello'])
})
