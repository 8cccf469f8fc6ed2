/** A server's side of the opening handshake, with peers that speak byte by byte. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import {
  ServerHandshake,
  type ServerSide,
} from '../../../src/protocols/websocket/server-handshake.ts'
import type { UpgradeRequest } from '../../../src/protocols/websocket/upgrade-request.ts'
import { kit, withResolvers } from '../../channels/link-kit.ts'
import { scene } from '../../kit.ts'
import { ACCEPTED, closing, dial, masked, request, serve, watched } from './kit.ts'

class Chat extends watched(WebSocketConnection) {
  override on_upgrade(asked: UpgradeRequest): void | Promise<void> {
    return onUpgrade(asked) as void
  }
}

/** What the program does with a request. */
let onUpgrade: (asked: UpgradeRequest) => unknown = () => undefined

t.beforeEach(() => (onUpgrade = () => undefined))

scene(t, 'the response has exactly three fields, byte for byte', async (t, world) => {
  const { peer, channel } = await serve(world, Chat)
  t.equal(peer.raw.news, ACCEPTED)
  t.same([channel.state, channel.news], ['active', ['connect']])
})

scene(t, 'what stands behind the request is not lost, nor read too early', async (t, world) => {
  const behind = masked('early').toString('latin1')
  const { channel } = await serve(world, Chat, {}, request() + behind)
  t.same(channel.news, ['connect', 'text early'])
})

scene(t, 'an extension that is offered is not agreed to', async (t, world) => {
  const offer = request({ 'Sec-WebSocket-Extensions': 'permessage-deflate' })
  t.equal((await serve(world, Chat, {}, offer)).peer.raw.news, ACCEPTED)
})

scene(t, 'compression, if it is on', async (t, world) => {
  const offer = request({ 'Sec-WebSocket-Extensions': 'x, permessage-deflate' })
  const { peer } = await serve(world, Chat, { deflate: true }, offer)
  t.match(peer.raw.news, /\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n$/)
})

scene(t, 'the request may come byte by byte', async (t, world) => {
  const { peer, channel } = await serve(world, Chat, {}, 'G')
  for (const byte of request().slice(1)) {
    peer.write(byte, true)
    world.network.pump()
  }
  await world.pump()
  t.same([peer.raw.news, channel.news], [ACCEPTED, ['connect']])
})

scene(t, 'what is refused is answered, told once, and closed by the peer', async (t, world) => {
  const rows: [string, number][] = [
    ['nonsense\r\n\r\n', 400],
    ['\x16\x03\x01\n', 400],
    [request({}, 'POST / HTTP/1.1'), 405],
    [request({}, 'HEAD / HTTP/1.1'), 405],
    [request({ 'Content-Length': '3' }) + 'abc', 400],
    [request({ Upgrade: undefined }), 426],
    [request({ 'Sec-WebSocket-Version': '12' }), 426],
    [request({}, 'GET / HTTP/1.0'), 505],
    [`GET / HTTP/1.1\r\na: ${'x'.repeat(20_000)}`, 431],
  ]
  const { channels } = await serve(world, Chat)
  for (const [bytes, status] of rows) {
    const peer = await dial(world, bytes)
    const channel = channels.at(-1)!
    const { news } = peer.raw
    t.match(news, new RegExp(`^HTTP/1.1 ${status} .*\r\nConnection: [^\r]*close\r\n`), `${status}`)
    t.equal(Number(/Content-Length: (\d+)/.exec(news)![1]), news.split('\r\n\r\n')[1]!.length)
    t.same([channel.news, peer.raw.hasEnded], [[], true], 'the peer has time to read it')
    peer.end()
    await world.pump()
    t.match(channel.news, [new RegExp(`^connect_error .*${status}`), 'close error undefined'])
  }
})

scene(t, 'a peer that was refused and does not end is closed after a second', async (t, world) => {
  const { channel } = await serve(world, Chat, {}, request({ Host: undefined }))
  await world.advance(1125)
  t.match(channel.news, [/^connect_error/, 'close error undefined'])
})

// Everything that came in that second was kept: half a gigabyte of a peer on this machine.
scene(
  t,
  'a peer that was refused and goes on sending: what it sends is dropped',
  async (t, world) => {
    const { peer, channel } = await serve(world, Chat, {}, request({ Host: undefined }) + 'rest')
    const handshake = world.network.transports.at(-1)!.sink as ServerHandshake
    peer.write(Buffer.alloc(100_000))
    await world.pump()
    t.same([channel.bytes_read > 100_000, handshake.rest.length], [true, 0])
  },
)

// The server was told of ECONNRESET, and never that a request was refused, or why.
scene(t, 'a peer that was refused and resets: the refusal is told', async (t, world) => {
  const { channel, channels } = await serve(world, Chat, {}, request({ Host: undefined }))
  world.network.reset(world.network.transports.at(-1)!)
  await world.pump()
  t.match(channel.news, [/^connect_error .*refused with 400/, 'close error undefined'])
  onUpgrade = asked => asked.refuse()
  await dial(world)
  world.network.reset(world.network.transports.at(-1)!)
  await world.pump()
  t.same(channels.at(-1)!.news, ['close local undefined'], 'that of the program is no error')
})

scene(t, 'a path, and only this one', async (t, world) => {
  const { channel } = await serve(
    world,
    Chat,
    { path: '/chat' },
    request({}, 'GET /chat?a HTTP/1.1'),
  )
  t.same(channel.news, ['connect'])
  t.match((await dial(world)).raw.news, /^HTTP\/1.1 404/)
})

scene(t, 'pages of another origin are refused with 403', async (t, world) => {
  const { channel } = await serve(world, Chat, {}, request({ Origin: 'http://here' }))
  t.same(channel.news, ['connect'])
  t.match((await dial(world, request({ Origin: 'http://there' }))).raw.news, /^HTTP\/1.1 403/)
  t.match((await dial(world, request({ Origin: 'null' }))).raw.news, /^HTTP\/1.1 403/)
})

scene(t, 'an origin function that throws', async (t, world) => {
  const origins = (): boolean => {
    throw new Error('no list')
  }
  const { peer, channel } = await serve(world, Chat, { origins }, request({ Origin: 'http://a' }))
  t.match(peer.raw.news, /^HTTP\/1.1 500/)
  t.same(channel.news.slice(0, 1), ['error no list'])
})

scene(t, 'subprotocols: the first common one; none in common is refused', async (t, world) => {
  const ask = (protocols: string): string => request({ 'Sec-WebSocket-Protocol': protocols })
  const { peer, channel } = await serve(world, Chat, { protocols: ['a', 'b'] }, ask('c, b,a'))
  t.match(peer.raw.news, /Sec-WebSocket-Protocol: b\r\n/)
  t.same(channel.news, ['connect b'])
  t.match((await dial(world, ask('c'))).raw.news, /^HTTP\/1.1 400/)
  t.equal((await dial(world)).raw.news, ACCEPTED)
  onUpgrade = asked => asked.accept({ protocol: '' })
  t.equal((await dial(world, ask('c'))).raw.news, ACCEPTED, 'unless the program says so')
})

// ---- the program is asked -----------------------------------------------------------------------

scene(t, 'the program accepts at once, or refuses; a refusal is no error', async (t, world) => {
  onUpgrade = asked => asked.accept({ headers: { 'Set-Cookie': 'a=b' } })
  const { peer, channels } = await serve(world, Chat)
  t.match(peer.raw.news, /\r\nSet-Cookie: a=b\r\n\r\n$/)
  onUpgrade = asked => asked.refuse(401, { 'WWW-Authenticate': 'Basic' }, 'who?')
  const refused = await dial(world)
  t.match(
    refused.raw.news,
    /^HTTP\/1.1 401 Unauthorized\r\n(.*\r\n)*WWW-Authenticate: Basic\r\n\r\nwho\?$/,
  )
  const channel = channels.at(-1)!
  refused.end()
  await world.pump()
  t.same(channel.news, ['close local undefined'])
  onUpgrade = asked => asked.refuse(307, { Location: '/elsewhere' })
  t.match((await dial(world)).raw.news, /^HTTP\/1.1 307 \r\n(.*\r\n)*Location: \/elsewhere\r\n/)
  // It was accepted, and the guide of rooms has a hook that returns false to whom it does not know.
  for (const answer of [false, Promise.resolve(false)]) {
    onUpgrade = () => answer
    t.match((await dial(world)).raw.news, /^HTTP\/1.1 403 Forbidden\r\n/)
  }
  onUpgrade = asked => {
    asked.accept()
    return false
  }
  t.equal((await dial(world)).raw.news, ACCEPTED, 'an answer comes first')
  onUpgrade = () => undefined
  t.equal((await dial(world)).raw.news, ACCEPTED, 'the same key may come again, after a 401')
})

scene(t, 'the program may take its time; nothing is lost and nothing is read', async (t, world) => {
  const { promise, resolve } = withResolvers()
  onUpgrade = () => promise
  const { peer, channel } = await serve(world, Chat)
  peer.write(masked('one'))
  await world.pump()
  peer.write(masked('two'))
  await world.pump()
  t.same([peer.raw.news, channel.news, channel.state], ['', [], 'opening'])
  resolve()
  await world.pump()
  t.same([peer.raw.news, channel.news], [ACCEPTED, ['connect', 'text one', 'text two']])
})

scene(t, 'the answer may come after the hook has returned', async (t, world) => {
  let later: UpgradeRequest | undefined
  const { promise, resolve } = withResolvers()
  onUpgrade = asked => {
    later = asked
    return promise
  }
  const { peer, channel } = await serve(world, Chat)
  later!.accept()
  await world.pump()
  t.same([peer.raw.news, channel.news], [ACCEPTED, ['connect']])
  resolve()
  await world.pump()
  t.same(channel.news, [])
})

scene(t, 'a hook that throws, or rejects, is a 500 and an error', async (t, world) => {
  onUpgrade = () => {
    throw new Error('bug')
  }
  const { peer, channel, channels } = await serve(world, Chat)
  t.match(peer.raw.news, /^HTTP\/1.1 500/)
  t.same(channel.news, ['error bug', 'close error undefined'])
  onUpgrade = () => Promise.reject(new Error('late bug'))
  t.match((await dial(world)).raw.news, /^HTTP\/1.1 500/)
  onUpgrade = async asked => {
    asked.accept()
    throw new Error('after it')
  }
  const third = await dial(world)
  const last = channels.at(-1)!
  t.match(third.raw.news, /^HTTP\/1.1 101/)
  t.same(last.news.slice(0, 2), ['connect', 'error after it'])
})

scene(t, 'on_error may let it be: the connection closes all the same', async (t, world) => {
  onUpgrade = () => {
    throw new Error('bug')
  }
  class Calm extends Chat {
    override on_error(error: Error): void {
      this.note(`calm ${error.message}`)
    }
  }
  const { peer, channel } = await serve(world, Calm)
  t.match(peer.raw.news, /^HTTP\/1.1 500/)
  peer.end()
  await world.pump()
  t.same(channel.news, ['calm bug', 'close local undefined'])
})

scene(t, 'an answer that comes too late has no effect', async (t, world) => {
  let later: UpgradeRequest | undefined
  onUpgrade = asked => {
    later = asked
    return withResolvers().promise
  }
  const { channel } = await serve(world, Chat)
  channel.close()
  await world.pump()
  later!.accept()
  await world.pump()
  t.same(channel.news, ['close local undefined'])
})

// ---- the peer goes ------------------------------------------------------------------------------

scene(
  t,
  'a peer that ends: without a word, in its head, or while the program is asked',
  async (t, world) => {
    const { channels } = await serve(world, Chat, {}, '')
    const silent = channels.at(-1)!
    const first = [...world.engine.channels].find(each => 'raw' in each) as { end(): void }
    first.end()
    await world.pump()
    t.same(silent.news, ['close remote undefined'], 'as a load balancer looks whether it is there')
    const half = await dial(world, 'GET / HT')
    const cut = channels.at(-1)!
    half.end()
    await world.pump()
    t.match(cut.news, [/^connect_error .*middle of its head/, 'close error undefined'])
    const { promise, resolve } = withResolvers()
    onUpgrade = () => promise
    const waiting = await dial(world)
    const asked = channels.at(-1)!
    waiting.end()
    await world.pump()
    resolve()
    await world.pump()
    t.same(asked.news, ['connect', 'close remote 1006'], 'a half-closed peer gets its answer')
  },
)

scene(t, 'a peer that is refused and has ended already', async (t, world) => {
  const { channels } = await serve(world, Chat)
  const { promise, resolve } = withResolvers()
  onUpgrade = async asked => {
    await promise
    asked.refuse(503)
  }
  const peer = await dial(world)
  const channel = channels.at(-1)!
  peer.end()
  await world.pump()
  resolve()
  await world.pump()
  t.ok(peer.bytes_read > 100, 'it still gets the response')
  t.same(channel.news, ['close local undefined'])
})

scene(t, 'a connection that breaks', async (t, world) => {
  const { channel } = await serve(world, Chat, {}, 'GET')
  world.network.reset(world.network.transports.at(-1)!)
  await world.pump()
  t.match(channel.news, [/^connect_error .*ECONNRESET/, 'close error undefined'])
})

scene(t, 'a closed frame behind the request, too', async (t, world) => {
  const { channel } = await serve(
    world,
    Chat,
    {},
    request() + closing(3000, 'x').toString('latin1'),
  )
  t.same(channel.news, ['connect'])
  t.equal(channel.close_code, 3000)
  t.equal(Buffer.isBuffer(channel), false)
})

t.test('a transport that closes of itself, before anything is answered', async t => {
  const { sink, transport, news } = await kit(t, Client, {}, false)
  const link = sink as StreamLink
  const handshake = new ServerHandshake({ link } as ServerSide)
  handshake.start()
  transport.sink!.closed()
  t.same([news(), handshake.isOver], [['close error'], true])
})
