/** An open session: messages, pings, faults, and closing in every order. */

import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import t from 'tap'
import { WebSocketClient } from '../../../src/protocols/websocket/client.ts'
import { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import { sessionOf } from '../../../src/protocols/websocket/websocket.ts'
import { withResolvers } from '../../channels/link-kit.ts'
import { scene, turn, type World } from '../../kit.ts'
import {
  ACCEPTED,
  answerTo,
  closing,
  dial,
  frame,
  listen,
  masked,
  type RawClient,
  type RawConnection,
  request,
  serve,
  watched,
} from './kit.ts'

class Chat extends watched<WebSocketConnection>(WebSocketConnection) {}
class Caller extends watched<WebSocketClient>(WebSocketClient) {}

/** A server's end that is open, and its peer. */
async function open<Of extends WebSocketConnection>(
  world: World,
  ChannelClass: new (options: any) => Of = Chat as never,
  options = {},
): Promise<{ channel: Of & Chat; peer: RawClient; send(...frames: Buffer[]): Promise<string> }> {
  const { channel, peer } = await serve(world, ChannelClass, options)
  if (peer.raw.news !== ACCEPTED) throw new Error('not accepted')
  ;(channel as unknown as Chat).news
  return {
    channel: channel as Of & Chat,
    peer,
    /** Sends in one piece; returns what has come back. */
    send: async (...frames) => {
      peer.write(Buffer.concat(frames))
      await world.pump()
      return peer.raw.news
    },
  }
}

/** A client's end that is open, and its peer. */
async function opened(
  world: World,
  options = {},
): Promise<{ client: Caller; peer: RawConnection; send(...frames: Buffer[]): Promise<Buffer> }> {
  const { peers } = await listen(world)
  const client = new Caller({ engine: world.engine, ...options }).connect('ws://localhost:1')
  await world.pump()
  const peer = peers[0]!
  peer.write(answerTo(peer.raw.news))
  await world.pump()
  client.news
  return {
    client,
    peer,
    send: async (...frames) => {
      peer.write(Buffer.concat(frames))
      await world.pump()
      const { got } = peer.raw
      peer.raw.got = Buffer.alloc(0)
      return got
    },
  }
}

const text = (bytes: Buffer): string => bytes.toString('latin1')

// ---- messages -----------------------------------------------------------------------------------

scene(t, 'messages in, and out', async (t, world) => {
  const { channel, send } = await open(world)
  await send(masked('text'), masked(Buffer.from('bytes')), masked(''), masked(Buffer.alloc(0)))
  t.same(channel.news, ['text text', 'bytes bytes', 'text ', 'bytes '])
  channel.send('a')
  channel.send(Buffer.from('b'))
  channel.send('é'.repeat(100))
  t.equal(channel.ping('p'), true)
  t.equal(channel.ping(), true)
  t.equal(
    await send(),
    text(
      Buffer.concat([
        frame('a'),
        frame(Buffer.from('b')),
        frame('é'.repeat(100)),
        frame('p', { opcode: 9 }),
        frame('', { opcode: 9 }),
      ]),
    ),
  )
})

scene(
  t,
  'large bytes are not copied; header and payload go together, or not at all',
  async (t, world) => {
    const { channel, send } = await open(world, Chat, { ping_interval: 10_000 })
    const large = Buffer.alloc(100_000, 0xfe)
    channel.send_high_water = 1_000_000
    t.equal(channel.send(large), true)
    t.equal(await send(), text(frame(large)))
    channel.send_buffer_size = 1000
    channel.send(large)
    t.equal(channel.send(large), false, 'it is over the bound')
    t.match(channel.news, [/^overflow_error/])
    t.equal(await send(), text(frame(large)))
    channel.send_buffer_size = 110_000
    channel.send(Buffer.alloc(109_990))
    t.equal(channel.send(large), true, 'a large write on a queue that is not over its bound')
    t.equal((await send()).length, 109_990 + 10 + 100_010)
  },
)

scene(t, 'a promise holds the next message; pings meanwhile wait, too', async (t, world) => {
  const { promise, resolve } = withResolvers()
  class Slow extends Chat {
    override on_message(data: string | Buffer): void | Promise<void> {
      this.note(`slow ${data}`)
      return data === 'wait' ? promise : undefined
    }
  }
  const { channel, send } = await open(world, Slow)
  await send(masked('a'), masked('wait'), masked('b'), masked('c'))
  t.same(channel.news, ['slow a', 'slow wait'])
  resolve()
  await world.pump()
  t.same(channel.news, ['slow b', 'slow c'])
})

// A peer that got no pong took us for dead, while a hook did what takes long: python-websockets
// after 40 seconds, Deno after 30.
scene(t, 'while a promise holds messages pings are answered; each once', async (t, world) => {
  const { promise, resolve } = withResolvers()
  class Slow extends Chat {
    override on_message(data: string | Buffer): void | Promise<void> {
      super.on_message(data)
      return data === 'wait' ? promise : undefined
    }
  }
  const ping = (payload: string): Buffer => masked(payload, { opcode: 9 })
  const pong = (payload: string): string => text(frame(payload, { opcode: 10 }))
  const { channel, peer, send } = await open(world, Slow)
  t.equal(await send(masked('wait'), ping('1'), masked('b'), ping('2')), pong('1') + pong('2'))
  t.equal(await send(masked('c'), ping('3').subarray(0, 4)), '')
  t.equal(await send(ping('3').subarray(4)), pong('3'))
  t.same(channel.news, ['text wait'], 'hooks keep their order')
  resolve()
  await world.pump()
  t.equal(peer.raw.news, '')
  t.same(channel.news, ['ping 1', 'text b', 'ping 2', 'text c', 'ping 3'])
  t.equal(await send(ping('4')), pong('4'))
})

scene(
  t,
  'but not for ever: what waits is bounded, and suspended is suspended',
  async (t, world) => {
    const { promise, resolve } = withResolvers()
    const { channel, peer, send } = await open(world)
    channel.on_message = () => promise
    await send(masked('wait'))
    for (let i = 0; i < 100; i++) await send(masked('x'.repeat(2000)))
    const { bytes_read } = channel
    t.ok(bytes_read < 2 * channel.buffer_size, `${bytes_read} bytes were read`)
    t.equal(await send(masked('p', { opcode: 9 })), '')
    resolve()
    await world.pump()
    t.equal(peer.raw.news, text(frame('p', { opcode: 10 })))
    channel.suspend()
    t.equal(await send(masked('p', { opcode: 9 })), '')
  },
)

scene(t, 'suspended in the middle of a chunk', async (t, world) => {
  const { channel, send } = await open(world)
  channel.on_message = data => {
    channel.note(`got ${data}`)
    channel.suspend()
  }
  await send(masked('a'), masked('b'), masked('c'))
  t.same(channel.news, ['got a'])
  channel.resume()
  t.same(channel.news, ['got b'])
  channel.resume()
  t.same(channel.news, ['got c'])
})

// ---- pings --------------------------------------------------------------------------------------

scene(t, 'a ping is answered with what it has', async (t, world) => {
  const { channel, send } = await open(world)
  t.equal(
    await send(masked('one', { opcode: 9 }), masked('two', { opcode: 9 })),
    text(Buffer.concat([frame('one', { opcode: 10 }), frame('two', { opcode: 10 })])),
  )
  await send(masked('unasked', { opcode: 10 }))
  t.same(channel.news, ['ping one', 'ping two', 'pong unasked'])
})

scene(
  t,
  'a peer that pings and reads nothing gets one answer in the end, to its last ping',
  async (t, world) => {
    const { channel, peer, send } = await open(world)
    channel.backpressure = false
    channel.send_high_water = 1000
    peer.suspend()
    channel.send(Buffer.alloc(300_000))
    await world.pump()
    const before = channel.bytes_queued
    for (let i = 0; i < 1000; i++) peer.write(masked(`ping ${i}`, { opcode: 9 }))
    await world.pump()
    t.equal(channel.bytes_queued, before)
    peer.resume()
    const all = await send()
    t.equal(all.slice(300_010), text(frame('ping 999', { opcode: 10 })))
  },
)

scene(t, 'nothing is owed once the session closes', async (t, world) => {
  const { channel, peer, send } = await open(world)
  channel.backpressure = false
  channel.send_high_water = 1000
  peer.suspend()
  channel.send(Buffer.alloc(300_000))
  await world.pump()
  peer.write(masked('p', { opcode: 9 }))
  await world.pump()
  channel.end()
  peer.resume()
  t.equal((await send()).slice(300_010), text(closing(1000, '', null)))
})

scene(t, 'the heartbeat: a silent peer is asked, then closed', async (t, world) => {
  class Beating extends Chat {
    override ping_interval = 1000
    override pong_timeout = 500
  }
  const { channel, peer, send } = await open(world, Beating)
  await world.advance(1100)
  t.equal(peer.raw.news, text(frame('', { opcode: 9 })))
  await send(masked('', { opcode: 10 }))
  t.same(channel.news, ['pong '])
  await world.advance(600)
  await world.advance(1200)
  t.equal(peer.raw.news, text(frame('', { opcode: 9 })))
  await world.advance(600)
  t.match(channel.news, [/^error .*pong_timeout, 500 ms/, /^close timeout 1006/])
})

scene(t, 'pings of ours do not put a read timeout off', async (t, world) => {
  const { channel } = await open(world, Chat, { ping_interval: 100, pong_timeout: 60_000 })
  channel.read_timeout = 1000
  for (let i = 0; i < 12; i++) await world.advance(100)
  t.match(channel.news, [/^error .*read_timeout/, /^close timeout 1006/])
})

// ---- faults -------------------------------------------------------------------------------------

scene(t, 'a fault is told to one hook, and the peer gets its code', async (t, world) => {
  const rows: [Buffer, number, RegExp, string][] = [
    [frame('a'), 1002, /^read_error .*mask/, 'error'],
    [masked(Buffer.from([0xff]), { opcode: 1 }), 1007, /^read_error .*UTF-8/, 'error'],
    [masked('x'.repeat(101)), 1009, /^overflow_error/, 'overflow'],
    [closing(1005), 1002, /^read_error .*1005/, 'error'],
    [masked(Buffer.from([3]), { opcode: 8 }), 1002, /^read_error/, 'error'],
  ]
  const { server, channels } = await serve(world, Chat, { message_size: 100 }, '')
  server.max_connections = 100
  for (const [bytes, code, told, reason] of rows) {
    const peer = await dial(world)
    peer.raw.news
    const channel = channels.at(-1)!
    channel.news
    peer.write(Buffer.concat([masked('good'), bytes, masked('never')]))
    await world.pump()
    const { got } = peer.raw
    t.same([got[0], got.readUInt16BE(2)], [0x88, code], `${code}`)
    peer.end()
    await world.pump()
    const { news } = channel
    t.equal(news[0], 'text good')
    t.match(news[1], told)
    t.equal(news.at(-1)!.split(' ').slice(0, 3).join(' '), `close ${reason} ${code}`)
  }
})

scene(t, 'a hook that throws: the peer gets 1011', async (t, world) => {
  const { channel, send } = await open(world)
  channel.on_message = () => {
    throw new Error('bug')
  }
  t.equal(await send(masked('a')), text(closing(1011, '', null)))
  await send(closing(1011))
  t.match(channel.news, ['error bug'])
  t.same([channel.close_code, channel.state], [1011, 'closing'])
})

scene(t, 'a fault hook that closes at once', async (t, world) => {
  const { channel, send } = await open(world)
  channel.on_read_error = () => channel.close()
  await send(frame('a'))
  t.same(channel.news, ['close error 1006'])
})

// ---- closing ------------------------------------------------------------------------------------

scene(t, 'we close: the peer answers, and the server ends TCP at once', async (t, world) => {
  const { channel, peer, send } = await open(world)
  channel.send('last')
  channel.end(3000, 'bye')
  channel.end(3001, 'not this one')
  t.equal(channel.send('too late'), false)
  t.equal(channel.ping(), false)
  t.equal(await send(), text(Buffer.concat([frame('last'), closing(3000, 'bye', null)])))
  t.same([channel.state, channel.close_code, channel.close_reason], ['closing', 3000, 'bye'])
  await send(masked('dropped'), masked('p', { opcode: 9 }), masked('p', { opcode: 10 }))
  t.same([channel.news, peer.raw.hasEnded], [[], false])
  await send(closing(1000))
  t.same([channel.news, peer.raw.hasEnded], [[], true])
  peer.end()
  await world.pump()
  t.same(channel.news, ['close local 3000 bye'], 'the code that comes back says nothing')
})

scene(t, 'the peer closes: it gets its code back, and TCP ends', async (t, world) => {
  const { channel, peer, send } = await open(world)
  t.equal(
    await send(masked('a'), closing(4999, 'why'), masked('never')),
    text(closing(4999, 'why', null)),
  )
  t.same([channel.news, peer.raw.hasEnded, channel.state], [['text a'], true, 'closing'])
  peer.end()
  await world.pump()
  t.same(channel.news, ['close remote 4999 why'])
})

scene(t, 'a close frame without a code is answered without one', async (t, world) => {
  const { channel, send, peer } = await open(world)
  t.equal(await send(closing()), text(closing(undefined, '', null)))
  peer.end()
  await world.pump()
  t.same(channel.news, ['close remote 1005'])
})

scene(t, 'both close at once', async (t, world) => {
  const { channel, peer, send } = await open(world)
  channel.end(3000)
  peer.write(closing(3001))
  t.equal(await send(), text(closing(3000, '', null)))
  t.equal(peer.raw.hasEnded, true)
  peer.end()
  await world.pump()
  t.same(channel.news, ['close local 3000'])
})

scene(t, 'a peer that never answers: end_timeout', async (t, world) => {
  const { channel } = await open(world, Chat)
  channel.end_timeout = 500
  channel.end()
  await world.pump()
  await world.advance(500)
  t.same(channel.news, ['close timeout 1000'])
})

scene(t, 'a peer that ends without a close frame', async (t, world) => {
  const { channel, peer } = await open(world)
  peer.end()
  await world.pump()
  t.same(channel.news, ['close remote 1006'])
})

scene(t, 'close frame and the end of TCP in one go is a clean end', async (t, world) => {
  const { channel, peer } = await open(world)
  peer.write(closing(1001))
  peer.end()
  await world.pump()
  t.same(channel.news, ['close remote 1001'])
})

scene(
  t,
  'a peer that closes TCP behind its close frame: no error, as the echo cannot be sent',
  async (t, world) => {
    // Bun's server and npm's websocket do that.
    const { channel, peer } = await open(world)
    peer.write(closing(1000), true)
    peer.close()
    await world.pump()
    t.same(channel.news, ['close remote 1000'])
  },
)

scene(t, 'a peer that breaks the connection when we say goodbye', async (t, world) => {
  for (const isQueued of [false, true]) {
    const { channel, peer } = await open(world)
    if (isQueued) {
      peer.suspend()
      channel.send(Buffer.alloc(300_000))
    }
    channel.end()
    await world.pump()
    world.network.reset(world.network.transports.at(-1)!)
    await world.pump()
    const { news } = channel
    t.equal(news.length, isQueued ? 2 : 1, String(news))
    channel.server.close()
    await world.pump()
  }
})

scene(t, 'suspended: what the peer says last is heard all the same', async (t, world) => {
  const { channel, peer, send } = await open(world)
  channel.suspend()
  await send(masked('dropped'))
  channel.end()
  await send(closing(1000))
  t.same([peer.raw.hasEnded, channel.news], [true, []])
})

scene(t, 'a server that ends says 1001', async (t, world) => {
  const { channel, send } = await open(world)
  channel.server.end()
  t.equal(await send(), text(closing(1001, '', null)))
})

scene(t, 'closed at once: no close frame', async (t, world) => {
  const { channel, send } = await open(world)
  channel.close()
  t.equal(await send(), '')
  t.same(channel.news, ['close local 1006'])
})

// The receiver remembered where the next message was in the memory of the run. While reads were
// held, what was left of a chunk moved to smaller memory: another place was read, or none at all,
// and the process ended. A peer that sent much and read little did that.
scene(t, 'reads are held in the middle of a chunk, of which little is left', async (t, world) => {
  const { promise, resolve } = withResolvers()
  class Slow extends Chat {
    override on_message(data: string | Buffer): unknown {
      super.on_message(data)
      return data.length === 3 ? promise : undefined
    }
  }
  const LARGE = masked(Buffer.alloc(10_000))
  const { channel, peer } = await serve(world, Slow)
  peer.write(Buffer.concat([LARGE, ...['one', 'two', 'three', 'é'].map(each => masked(each))]))
  await world.pump()
  t.equal(channel.news.at(-1), 'text one')
  peer.write(masked('four'))
  await world.pump()
  t.same(channel.news, [])
  resolve()
  await world.pump()
  t.same(channel.news, ['text two', 'text three', 'text é', 'text four'])
})

// ---- a client -----------------------------------------------------------------------------------

scene(
  t,
  'a client masks; when both have said goodbye it waits for the server',
  async (t, world) => {
    const { client, peer, send } = await opened(world)
    client.send('hello')
    client.send(Buffer.alloc(5000))
    const sent = await send(frame('hi'), frame('p', { opcode: 9 }))
    t.equal(sent[1]! & 0x80, 0x80)
    t.equal(sent.length, 11 + 5008 + 7)
    t.same(client.news, ['text hi', 'ping p'])
    client.end()
    const goodbye = await send()
    t.same([goodbye.length, goodbye[0]], [8, 0x88])
    await send(closing(1000, '', null))
    t.equal(peer.raw.hasEnded, false)
    peer.end()
    await world.pump()
    t.same(client.news, ['close local 1000'])
  },
)

scene(t, 'a server that does not end TCP: after two seconds the client does', async (t, world) => {
  const { client, peer, send } = await opened(world)
  await send(closing(1000, '', null))
  t.equal(peer.raw.hasEnded, false)
  await world.advance(2000)
  t.equal(peer.raw.hasEnded, true)
  peer.end()
  await world.pump()
  t.same(client.news, ['close remote 1000'])
})

// Each close frame of the server had the client wait two seconds more, and only the last of those
// waits was ended with the opening: the timer of another one kept the process alive.
scene(t, 'a second close frame has no effect', async (t, world) => {
  const { client, peer, send } = await opened(world)
  await send(closing(1000, 'bye', null))
  await send(closing(1001, 'again', null))
  peer.end()
  await world.pump()
  t.same(client.news, ['close remote 1000 bye'])
})

scene(t, 'close and the end of TCP in one go, to a client', async (t, world) => {
  const { client, peer } = await opened(world)
  peer.write(closing(1012, '', null))
  peer.end()
  await world.pump()
  t.same(client.news, ['close remote 1012'])
})

scene(t, 'a client is opened again, as if for the first time', async (t, world) => {
  const { peers } = await listen(world)
  const client = new Caller({ engine: world.engine }).connect('ws://localhost:1')
  for (const code of [1013, 1014]) {
    await world.pump()
    const peer = peers.at(-1)!
    peer.write(answerTo(peer.raw.news))
    await world.pump()
    peer.write(closing(code, 'x', null))
    peer.end()
    await world.pump()
    t.same(client.news, ['connect', `close remote ${code} x`])
    client.connect('ws://localhost:1')
    t.equal(client.close_code, code, 'it is told until the next session begins')
    t.equal(client.send('waits'), true)
  }
  client.close()
})

scene(t, 'the handshake takes too long', async (t, world) => {
  const { channel } = await serve(world, Chat, {}, 'GET')
  t.equal(channel.send('too early'), false)
  await world.advance(11_250)
  t.match(channel.news, [/^connect_error .*handshake_timeout, 10000 ms/, 'close timeout undefined'])
})

scene(t, 'closed by on_connect: nothing else happens', async (t, world) => {
  class Short extends Chat {
    override on_connect(): void {
      this.close()
    }
  }
  const behind = masked('x').toString('latin1')
  const { channel } = await serve(world, Short, { ping_interval: 5 }, request() + behind)
  await world.advance(10)
  t.same(channel.news, ['close local 1006'])
})

scene(t, 'what came while the program was asked, and the end of the peer', async (t, world) => {
  const { promise, resolve } = withResolvers()
  class Asked extends Chat {
    override on_upgrade(): Promise<void> {
      return promise
    }
  }
  const early = request() + masked('early').toString('latin1')
  const { channel, peer } = await serve(world, Asked, {}, early)
  peer.end()
  await world.pump()
  resolve()
  await world.pump()
  t.same(channel.news, ['connect', 'text early', 'close remote 1006'])
})

scene(t, 'a network may tell the end of a peer while reading is paused', async (t, world) => {
  const { channel, peer } = await serve(world, Chat, {}, '')
  const rest = Buffer.alloc(0)
  const compression = undefined
  sessionOf(channel).agreed({ protocol: 'p', compression, rest, hasEnded: true })
  await world.pump()
  t.equal(peer.raw.hasEnded, true)
  peer.end()
  await world.pump()
  t.same(channel.news, ['connect p', 'close remote 1006'])
})

// ---- compression --------------------------------------------------------------------------------

const OFFER = request({ 'Sec-WebSocket-Extensions': 'permessage-deflate' })

scene(t, 'compressed messages, both ways, in their order', async (t, world) => {
  const { channel, peer } = await serve(world, Chat, { deflate: { threshold: 5 } }, OFFER)
  t.match(peer.raw.news, /\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n$/)
  const hello = Buffer.from('f248cdc9c90700', 'hex')
  const compressed = masked(hello, { opcode: 1, rsv: 4 })
  peer.write(Buffer.concat([compressed, masked('plain'), compressed]))
  await world.pump()
  t.same(
    channel.news,
    ['connect ', 'text Hello', 'text plain', 'text Hello'].map(each => each.trim()),
  )
  channel.send('Hello')
  channel.send(Buffer.from('Hello'), { compress: true })
  channel.send('Hello', { compress: false })
  channel.send('tiny')
  channel.end()
  while (channel.bytes_queued > 0) await world.pump()
  await world.pump()
  const frames = peer.raw.news
  t.equal(frames.slice(0, 9), text(frame(hello, { opcode: 1, rsv: 4 })))
  t.match(frames, /^[^]{9}\xc2[^]*\x81\x05Hello\x81\x04tiny\x88\x02\x03\xe8$/)
})

scene(t, 'a large message is inflated off the loop; the next one waits', async (t, world) => {
  const { channel, peer } = await serve(world, Chat, { deflate: true }, OFFER)
  const large = randomBytes(20_000)
  const bytes = deflateRawSync(large, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  peer.write(Buffer.concat([masked(bytes, { rsv: 4 }), masked('next')]))
  await world.pump()
  while (channel.news.at(-1) !== 'text next') await turn()
  t.pass()
})

scene(t, 'what cannot be inflated: 1007; a bomb: 1009', async (t, world) => {
  const options = { deflate: true, message_size: 1000 }
  const { channel, peer, channels } = await serve(world, Chat, options, OFFER)
  peer.raw.news
  peer.write(masked(Buffer.from([0xff]), { rsv: 4 }))
  await world.pump()
  t.match(channel.news, ['connect', /^read_error .*valid/])
  t.equal(peer.raw.got.readUInt16BE(2), 1007)
  const other = await dial(world, OFFER)
  other.raw.news
  const bomb = deflateRawSync(Buffer.alloc(100_000), { finishFlush: constants.Z_SYNC_FLUSH })
  other.write(masked(bomb.subarray(0, -4), { rsv: 4 }))
  await world.pump()
  t.match(channels[1]!.news, ['connect', /^overflow_error/])
  t.equal(other.raw.got.readUInt16BE(2), 1009)
})

scene(t, 'too much is queued: a compressed message is dropped as every other', async (t, world) => {
  const { channel, peer } = await serve(world, Chat, { deflate: true }, OFFER)
  peer.suspend()
  channel.send_buffer_size = 1000
  channel.send(randomBytes(300_000))
  t.equal(channel.send(randomBytes(2000)), false)
  t.match(channel.news, ['connect', /^overflow_error/])
})
