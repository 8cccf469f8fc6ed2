/**
 * Hostile peers of message channels. Whatever a peer does leads to an error with a code, of that
 * channel or of that peer of a server. Other channels and peers are not affected.
 */

import { Buffer } from 'node:buffer'
import { deflateRawSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { Datagram } from '../../src/channels/datagrams/datagram.ts'
import { Engine } from '../../src/engine.ts'
import { FRAMES } from '../../src/messages/carriers/frames.ts'
import { Context } from '../../src/messages/context.ts'
import { Control, Message } from '../../src/messages/message.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import { until } from '../kit.ts'
import { seeded } from './networks.ts'

interface Hall {
  readonly context: Context
  readonly engine: Engine
  readonly logged: string[]
}

/**
 * A test on real sockets. At its end no channel may be left, and no log that the test did not take.
 */
async function hall(title: string, body: (t: Test, hall: Hall) => Promise<void>): Promise<void> {
  await t.test(title, { timeout: 120_000 }, async t => {
    const logged: string[] = []
    const engine = new Engine({ log: message => logged.push(message) })
    await body(t, { context: new Context({ engine }), engine, logged })
    await engine.stop({ timeout: 1000 })
    t.equal(engine.channels.size, 0)
    t.same(logged, [])
  })
}

/** A peer that may be reset. */
class Peer extends Client {
  override on_error(): void {
    this.close()
  }
}

/** A server, the reasons of its Disconnects, and the data that it has received. */
async function serve(
  { context }: Hall,
  url: string,
): Promise<{
  server: MessageChannel
  gone: string[]
  texts: string[]
  connect: () => Promise<Client>
}> {
  const server = context.init(url)
  const gone: string[] = []
  const texts: string[] = []
  server.on_control = ({ msgid, data }) => {
    if (msgid === Control.Disconnect) gone.push(String(data))
  }
  server.on_message = ({ data }) => void texts.push(String(data))
  await server.open().opened
  const connect = async (): Promise<Client> =>
    new Peer({ engine: server.engine }).connect(server.info.local as [string, number]).opened
  return { server, gone, texts, connect }
}

function pack(frame: string, fields: ConstructorParameters<typeof Message>[0]): Buffer {
  const message = new Message(fields)
  const kind = FRAMES.get(frame)!
  return Buffer.concat([
    kind.head(message) ?? Buffer.alloc(0),
    message.data,
    Buffer.from(kind.tail),
  ])
}

const GOOD = {
  line: Buffer.from('good'),
  bson: Buffer.from('0900000067 6f6f64'.replaceAll(' ', '') + '00', 'hex'),
} as Record<string, Buffer>

for (const frame of ['std', 'short', 'tiny', 'size32', 'bson', 'line', 'none']) {
  await hall(`garbage, frame=${frame}`, async (t, hall) => {
    const random = seeded(5)
    const { server, gone, texts, connect } = await serve(
      hall,
      `tcp://127.0.0.1:0;mode=server;frame=${frame};buffer-size=4kb`,
    )
    for (let count = 0; count < 20; count++) {
      const bad = await connect()
      const size = 1 + Math.floor(random() * 20_000)
      bad.write(Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256))))
      bad.end()
      await until(() => gone.length === count + 1)
    }
    const reasons = new Set(gone.filter(why => why !== ''))
    t.ok(
      [...reasons].every(why =>
        /than 4096 bytes|at most 4096 are allowed|in the middle of a message/.test(why),
      ),
      [...reasons].join(),
    )
    const good = await connect()
    const data = GOOD[frame] ?? Buffer.from('good')
    good.write(pack(frame, { data }))
    await until(() => texts.at(-1) === String(data))
    t.equal(server.state, 'active')
  })
}

await hall('half a message, and nothing more', async (t, hall) => {
  for (const frame of ['std', 'short', 'tiny', 'size32', 'bson', 'line']) {
    const { server, gone, texts, connect } = await serve(
      hall,
      `tcp://127.0.0.1:0;mode=server;frame=${frame}`,
    )
    const whole = pack(frame, { data: GOOD[frame] ?? 'good' })
    for (let length = 1; length < whole.length; length++) {
      const peer = await connect()
      peer.write(whole.subarray(0, length))
      peer.end()
      await until(() => gone.length === length)
    }
    t.same([texts, server.state], [[], 'active'], frame)
    const said = gone.map(why => Number(/in the middle of a message, (\d+) bytes/.exec(why)?.[1]))
    t.same(said, [...whole.keys()].slice(1), frame)
  }
})

await hall('a size beyond the bound: refused at once, before its bytes come', async (t, hall) => {
  const heads: Record<string, string> = {
    std: 'ffffffff',
    size32: 'ffffffff',
    bson: 'ffffffff',
    short: 'ffff',
    tiny: 'ffff',
  }
  for (const [frame, hex] of Object.entries(heads)) {
    const { gone, connect } = await serve(
      hall,
      `tcp://127.0.0.1:0;mode=server;frame=${frame};buffer-size=1kb`,
    )
    const peer = await connect()
    peer.write(Buffer.from(hex.padEnd(32, '0'), 'hex'))
    await until(() => gone.length === 1)
    t.match(gone[0], /than 1024 bytes|at most 1024 are allowed/, frame)
  }
})

await hall('a client: an invalid message of its server is its own error', async (t, hall) => {
  class Liar extends Connection {
    override on_connect(): void {
      this.write(Buffer.alloc(16, 0xff))
    }
  }
  const liar = await new Server(Liar, { engine: hall.engine }).listen(['127.0.0.1', 0]).opened
  const client = hall.context.init(
    `rate+tcp://127.0.0.1:${(liar.local_address as [string, number])[1]};speed=1mb`,
  )
  await client.open().opened
  await t.rejects(client.recv(), { code: 'ERR_OVERFLOW' })
  t.equal(client.state, 'error')
  t.match(hall.logged.splice(0), [/ERR_OVERFLOW|65536 bytes/])
  client.close(true)
  liar.close()
})

await hall('deflate: invalid data, half a message, a bomb', async (t, hall) => {
  const { server, gone, texts, connect } = await serve(
    hall,
    'deflate+tcp://127.0.0.1:0;mode=server;max-size=64kb',
  )
  const errors: string[] = []
  server.on_error = error => void errors.push((error as Error & { code: string }).code)
  const good = await connect()
  const bombs = [
    'nonsense',
    deflateRawSync('x'.repeat(1000)).subarray(0, 5),
    deflateRawSync(Buffer.alloc(50_000_000)),
  ]
  for (const [index, data] of bombs.entries()) {
    const bad = await connect()
    bad.write(pack('std', { data }))
    await until(() => gone.length === index + 1)
  }
  good.write(pack('std', { data: deflateRawSync('good') }))
  await until(() => texts.length === 1)
  t.same(
    [texts, errors, server.state],
    [['good'], ['Z_DATA_ERROR', 'Z_BUF_ERROR', 'ERR_BUFFER_TOO_LARGE'], 'active'],
  )
})

await hall('a flood while it is suspended: bounded, and the peer must wait', async (t, hall) => {
  const { server, texts } = await serve(hall, 'tcp://127.0.0.1:0;mode=server')
  const flood = hall.context.init(server.client_url as string)
  await flood.open().opened
  await until(() => server.info.peers === 1)
  server.suspend()
  const data = Buffer.alloc(10_000)
  let posted = 0
  for (let idle = 0; idle < 200; idle++) {
    while (flood.post({ data })) {
      posted++
      idle = 0
    }
    await new Promise(setImmediate)
  }
  t.ok(posted > 10, 'the buffers of the system')
  t.same(texts, [])
  const { bytes_held } = hall.engine.stats()
  t.ok(bytes_held < 1_000_000, String(bytes_held))
  server.resume()
  await until(() => texts.length === posted)
  flood.close()
  await flood.closed
})

await hall(
  'packets: short ones are dropped; a flood while it is suspended is bounded',
  async (t, hall) => {
    const { server, texts } = await serve(hall, 'udp://127.0.0.1:0;mode=server')
    const sender = await new Datagram({ engine: hall.engine }).connect(
      server.info.local as [string, number],
    ).opened
    for (let size = 0; size < 16; size++) sender.write(Buffer.alloc(size, 0xff))
    sender.write(pack('std', { data: 'good' }))
    await until(() => texts.length === 1)
    t.same(texts, ['good'])
    server.suspend()
    const packet = pack('std', { data: Buffer.alloc(1000) })
    for (let count = 0; count < 5000; count++) {
      sender.write(packet)
      if (count % 50 === 0) await new Promise(setImmediate)
    }
    const { bytes_held } = hall.engine.stats()
    t.ok(bytes_held < 2_000_000, String(bytes_held))
    t.equal(texts.length, 1)
    server.resume()
    sender.close()
  },
)

await hall(
  'channels that are always pending starve neither sockets nor timers',
  async (t, hall) => {
    const { context, engine } = hall
    const { texts, connect } = await serve(hall, 'tcp://127.0.0.1:0;mode=server;frame=line')
    let zeros = 0
    const busy = Array.from({ length: 10 }, () => context.init('zero://').open())
    for (const each of busy) each.on_message = () => void zeros++
    let rings = 0
    engine.cycle(1, () => void rings++)
    const peer = await connect()
    for (let count = 1; count <= 20; count++) {
      peer.write('x\n')
      const before = zeros
      await until(() => texts.length === count)
      // A socket waits for a few turns, not for all the work.
      t.ok(zeros - before < 100_000, String(zeros - before))
    }
    await until(() => rings > 3)
    t.ok(zeros > 1000)
    for (const each of busy) each.close()
  },
)

await hall('nothing runs while nothing is pending', async (t, hall) => {
  const { context, engine } = hall
  const channels = [
    'mem://;name=m',
    'mem://;master=m',
    'direct://',
    'timer://',
    'null://',
    'zero://;pending=no',
  ].map(url => context.init(url).open())
  const held = context.init('zero://')
  held.on_message = () => new Promise(() => {})
  const suspended = context.init('zero://')
  suspended.suspend()
  channels.push(held.open(), suspended.open())
  for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate)
  const processed: string[] = []
  for (const each of channels) {
    const { process } = each
    each.process = () => {
      processed.push(each.name)
      return process.call(each)
    }
  }
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
  t.same(processed, [])
  t.equal(engine.channels.size, channels.length)
  for (const each of channels) each.close(true)
})
