/** A channel of packets over message channels in memory, on a clock that stands. */

import t from 'tap'
import { Context } from '../../../src/messages/context.ts'
import { Control, type Message } from '../../../src/messages/message.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { WebsocketChannel } from '../../../src/packets/channel/websocket-channel.ts'
import type { WebsocketChannelOptions } from '../../../src/packets/channel/websocket-options.ts'
import { Packet } from '../../../src/packets/packet.ts'
import { type Stage, stage } from '../../messages/kit.ts'
import { brief, numbersOf, tell, upTo } from '../kit.ts'

interface Made {
  readonly channel: WebsocketChannel
  readonly log: string[]
}

function make({ context }: Stage, url: string, options: WebsocketChannelOptions = {}): Made {
  const log: string[] = []
  const channel = new WebsocketChannel(
    'main',
    id => void log.push(`open ${id}`),
    (id, error) => void log.push(`lost ${id}: ${error?.message}`),
    (_, packet) => void log.push(brief(packet)),
    url,
    {
      context,
      on_error: (id, error) => void log.push(`${id} ${error.message}`),
      backoff: { random: () => 1 },
      ...options,
    },
  )
  return { channel, log }
}

/** A server that keeps what it gets. */
function serve({ context }: Stage, url = 'mem://;mode=server;name=server') {
  const texts: string[] = []
  const peers: number[] = []
  const server = context.init(url)
  server.on_message = ({ data }: Message) => void texts.push(data.toString())
  server.on_control = ({ msgid, addr }: Message) => {
    if (msgid === Control.Connect) peers.push(addr as number)
  }
  server.open()
  return { server, texts, peers }
}

const state = (channel: WebsocketChannel): string =>
  [channel.is_alive() && 'alive', channel.is_closed() && 'closed'].filter(Boolean).join(' ')

stage(t, 'open, send, receive, close', async (t, world) => {
  const { server, texts, peers } = serve(world)
  const { channel, log } = make(world, 'mem://;master=server')
  t.equal(channel.socket_url, 'mem://;master=server')
  t.equal(channel.packet_size, 60_000)
  t.strictSame([state(channel), channel.send(tell(1)), channel.retries], ['', false, 0])
  channel.open()
  t.strictSame([log, state(channel)], [[], ''], 'nothing inside open')
  await world.pump()
  t.strictSame([log.splice(0), state(channel)], [['open main'], 'alive'])
  t.throws(() => channel.open(), { code: 'ERR_INVALID_STATE' })
  t.equal(channel.send(tell(1)), true)
  server.post({ data: tell(2).to_text(), addr: peers[0]! })
  await world.pump()
  t.strictSame([texts, log.splice(0)], [[tell(1).to_text()], [brief(tell(2))]])
  server.post({ data: tell(3).to_text(), addr: peers[0]! })
  channel.send(tell(4))
  channel.close()
  channel.close()
  t.strictSame([state(channel), channel.send(tell(1)), channel.error], ['closed', false, undefined])
  await world.pump()
  t.strictSame([texts.length, log], [2, []], 'what was handed on goes out, and no callback comes')
  t.throws(() => channel.open(), { code: 'ERR_INVALID_STATE', message: /is closed/ })
  server.close(true)
})

stage(t, 'close before and while it connects', async (t, world) => {
  const { server } = serve(world)
  for (const opens of [false, true]) {
    const { channel, log } = make(world, 'mem://;master=server')
    if (opens) channel.open()
    channel.close()
    await world.pump()
    t.strictSame([state(channel), log], ['closed', []])
  }
  server.close(true)
})

stage(t, 'what cannot be read or sent is reported, and it goes on', async (t, world) => {
  const { server, peers } = serve(world)
  const { channel, log } = make(world, 'mem://;master=server')
  channel.open()
  await world.pump()
  for (const data of ['{', '{"packet_type":"a"}', tell(1).to_text()])
    server.post({ data, addr: peers[0]! })
  await world.pump()
  t.match(log.splice(0), ['open main', /^main .*no JSON/, /sender_id is missing/, brief(tell(1))])
  const circle: Record<string, unknown> = {}
  circle.self = circle
  t.equal(channel.send(tell(1).copy({ data: circle as never })), false)
  t.equal(channel.send(tell(1).copy({ data: { n: 'x'.repeat(70_000) } as never })), false)
  t.match(log, [/data must be JSON/, /at most 65520 bytes long/])
  t.equal(channel.is_alive(), true)
  channel.close()
  server.close(true)
})

stage(t, 'what a callback throws is reported', async (t, world) => {
  const { server, peers } = serve(world)
  const errors: string[] = []
  const channel = new WebsocketChannel(
    'main',
    () => {
      throw new Error('in open')
    },
    () => {},
    () => {
      throw 'no error'
    },
    'mem://;master=server',
    {
      context: world.context,
      on_error: (_, error) => {
        errors.push(error.message)
        throw new Error('in on_error')
      },
    },
  )
  channel.open()
  await world.pump()
  server.post({ data: tell(1).to_text(), addr: peers[0]! })
  await world.pump()
  t.match(errors, ['in open', /no error/])
  t.match(world.logged, [/main: in on_error/, /main: in on_error/])
  channel.close()
  const { channel: other } = make(world, 'mem://;master=server', { on_error: undefined as never })
  t.ok(other)
  server.close(true)
})

stage(t, 'errors are logged by default', async (t, world) => {
  const log: string[] = []
  const { context } = world
  const { server, peers } = serve(world)
  const channel = new WebsocketChannel(
    'main',
    () => log.push('open'),
    () => {},
    () => {},
    'mem://;master=server',
    { context },
  )
  channel.open()
  await world.pump()
  server.post({ data: '{', addr: peers[0]! })
  await world.pump()
  t.match(world.logged, [/^main: the packet is no JSON/])
  channel.close()
  server.close(true)
})

stage(t, 'a full queue: false, and on_send_ready', async (t, world) => {
  const { server, texts } = serve(world, 'mem://;mode=server;name=server;size=1kb')
  const { channel, log } = make(world, 'mem://;master=server')
  channel.on_send_ready = id => void log.push(`ready ${id}`)
  channel.open()
  await world.pump()
  let count = 0
  while (channel.send(tell(count))) count++
  t.ok(count > 3)
  t.equal(channel.send(tell(count)), false)
  t.equal(channel.is_alive(), true)
  await world.pump()
  t.strictSame(log, ['open main', 'ready main'])
  t.equal(channel.send(tell(count)), true)
  await world.pump()
  t.strictSame(numbersOf(texts.map(text => JSON.parse(text))), upTo(count + 1))
  channel.close()
  server.close(true)
})

stage(t, 'a lost connection comes back', async (t, world) => {
  const { server, peers } = serve(world)
  const { channel, log } = make(world, 'mem://;master=server')
  channel.open()
  await world.pump()
  server.post({ type: 'control', msgid: Control.Disconnect, addr: peers[0]! })
  await world.pump()
  t.strictSame([state(channel), channel.send(tell(1)), channel.retries], ['', false, 1])
  t.match(log.splice(0), ['open main', /the connection has closed|the peer has closed/])
  t.match(channel.error, { code: 'ERR_CLOSED' })
  await world.advance(199)
  t.equal(state(channel), '')
  await world.advance(1)
  t.strictSame([state(channel), log.splice(0)], ['alive', ['open main']])
  server.destroy()
  await world.pump()
  await world.advance(400)
  await world.advance(800)
  t.equal(channel.retries, 4)
  const again = serve(world)
  await world.advance(1600)
  t.equal(state(channel), 'alive', 'the name is that of another server now')
  channel.close()
  again.server.close(true)
})

stage(t, 'over two channels of mem://, of which one closes', async (t, world) => {
  const master = world.context.init('mem://;name=master').open()
  const { channel, log } = make(world, 'mem://;master=master')
  channel.open()
  await world.pump()
  master.close()
  await world.pump()
  t.match(log, ['open main', /the peer has closed/])
  channel.close()
})

stage(t, 'so many attempts, and then it is lost', async (t, world) => {
  const { channel, log } = make(world, 'tcp://localhost:1', { lost: { max_attempts: 2 } })
  channel.open()
  await world.pump()
  t.match(log.splice(0), [/ECONNREFUSED/])
  await world.advance(200)
  await world.pump()
  t.match(log.splice(0), [/ECONNREFUSED/, /^lost main: the channel is lost: 2 attempts/])
  t.strictSame([state(channel), channel.send(tell(1))], ['closed', false])
  t.match(channel.error, { code: 'ERR_LOST' })
  channel.close()
  await world.advance(100_000)
  t.strictSame(log, [])
})

stage(t, 'so long without a connection, and then it is lost', async (t, world) => {
  const { channel, log } = make(world, 'tcp://localhost:1', { lost: { max_outage: 1000 } })
  channel.open()
  await world.pump()
  for (let ms = 0; ms < 1300; ms += 100) await world.advance(100)
  t.match(log.at(-1), /^lost main: .*no connection for 1000 ms.*ECONNREFUSED/)
  t.equal(state(channel), 'closed')
  const endless = make(world, 'tcp://localhost:1', { lost: { max_outage: Infinity } })
  endless.channel.open()
  await world.advance(1_000_000)
  t.equal(state(endless.channel), '')
  endless.channel.close()
})

stage(t, 'close in the very turn in which it is lost: no callback', async (t, world) => {
  const { channel, log } = make(world, 'tcp://localhost:1', {
    lost: { max_attempts: 1 },
    on_error: () => queueMicrotask(() => channel.close()),
  })
  channel.open()
  await world.pump()
  t.strictSame([log, state(channel)], [[], 'closed'])
})

stage(t, 'close inside on_error', async (t, world) => {
  const { channel, log } = make(world, 'tcp://localhost:1', { on_error: () => channel.close() })
  channel.open()
  await world.pump()
  await world.advance(100_000)
  t.strictSame([log, state(channel)], [[], 'closed'])
})

stage(t, 'an attempt that takes too long', async (t, world) => {
  class Never extends (Object.getPrototypeOf(
    world.context.init('null://').constructor,
  ) as typeof MessageChannel) {
    static override readonly protocol = 'never'
    override do_open(): 'opening' {
      return 'opening'
    }
  }
  world.context.register(Never as never)
  const { channel, log } = make(world, 'never://', { connect_timeout: 500 })
  channel.open()
  await world.pump()
  await world.advance(600)
  t.match(log, [/connecting took more than 500 ms/])
  t.equal(channel.retries, 1)
  await world.advance(200)
  channel.close()
  t.equal(world.engine.channels.size, 0)
})

stage(t, 'a peer that does not close has two seconds', async (t, world) => {
  class Slow extends (Object.getPrototypeOf(
    world.context.init('null://').constructor,
  ) as typeof MessageChannel) {
    static override readonly protocol = 'slow'
    static override readonly caps = ['long_close'] as const
    override do_close(): void {}
    override do_open(): void {
      last = this
    }
  }
  let last: MessageChannel | undefined
  world.context.register(Slow as never)
  const { channel, log } = make(world, 'slow://')
  channel.open()
  await world.pump()
  channel.close()
  last!.emit({ data: tell(1).to_text() })
  t.strictSame(log, ['open main'], 'what comes after close is dropped')
  await world.advance(1000)
  t.equal(world.engine.channels.size, 1)
  await world.advance(1300)
  t.equal(world.engine.channels.size, 0)
})

stage(t, 'a heartbeat over what has none', async (t, world) => {
  const { server, texts, peers } = serve(world)
  const { channel, log } = make(world, 'mem://;master=server', { heartbeat: 1000 })
  channel.open()
  await world.pump()
  await world.advance(1100)
  const question = Packet.from_text(texts[0]!)
  t.equal(question.type, 'heartbeat')
  const answer = question.copy({ sender_id: 'mephisto_server', receiver_id: 'heartbeat' })
  server.post({ data: answer.to_text(), addr: peers[0]! })
  await world.pump()
  for (const _ of upTo(4)) await world.advance(1100)
  t.match(log, ['open main', /the peer was silent/])
  channel.close()
  server.close(true)
})

stage(t, 'invalid arguments', async (t, world) => {
  t.throws(() => make(world, 'mem://;master=nobody'), { code: 'ERR_INVALID_URL' })
  t.throws(() => make(world, 'tcp://localhost:1;nodelya=yes'), { code: 'ERR_INVALID_URL' })
  t.throws(() => make(world, 'null://', { heart: 1 } as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.equal(world.context.channels.size, 0, 'nothing is left')
  t.ok(new Context())
})

/**
 * It connected again in an engine that had stopped, for ever. One that was opened just before the
 * engine stopped was told nothing.
 */
stage(t, 'an engine that stops ends it', async (t, world) => {
  const { server } = serve(world)
  world.context.init('mem://;name=nobody')
  const made = ['server', 'server', 'nobody'].map(name => make(world, `mem://;master=${name}`))
  const [alive, fresh, waiting] = made as [Made, Made, Made]
  alive.channel.open()
  waiting.channel.open()
  await world.advance(1)
  t.same(
    made.map(({ channel }) => channel.retries),
    [0, 0, 1],
  )
  fresh.channel.open()
  await world.engine.stop()
  await world.advance(100_000)
  for (const { channel, log } of made) {
    t.ok(channel.is_closed())
    t.equal(
      log.filter(each => each === 'lost main: the channel is lost: the engine stops').length,
      1,
    )
  }
  server.destroy()
})
