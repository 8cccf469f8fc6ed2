import t from 'tap'
import { Consumer } from '../../../src/envelope/consumers/consumer.ts'
import { ConsumerServer } from '../../../src/envelope/consumers/consumer-server.ts'
import type { Handshake } from '../../../src/envelope/consumers/handshake.ts'
import { consumer_closed } from '../../../src/envelope/signals/message-signals.ts'
import { fate, thrown, until } from '../../kit.ts'
import { channelClass, stage } from '../../messages/kit.ts'
import { dial, masked } from '../../protocols/websocket/kit.ts'
import { Caller, Player } from './kit.ts'

class Peer extends Player {
  handshake: Handshake | undefined
  override on_handshake(handshake: Handshake) {
    this.handshake = handshake
  }
}

const URLS = [
  'mem://;mode=server',
  'tcp://127.0.0.1:0;frame=line',
  'ws://127.0.0.1:0/game;mode=server',
]

for (const url of URLS) {
  stage(t, `a consumer of each peer: ${url}`, async (t, { context, pump }) => {
    const server = new ConsumerServer(Peer).listen(url, context)
    await pump()
    t.equal(await server.opened, server)
    const callers = [new Caller(), new Caller()]
    for (const caller of callers) caller.connect(server.client_url!, context)
    await pump()
    const [one, other] = server.consumers as [Peer, Peer]
    t.equal(server.consumers.length, 2)
    one.nick = 'bob'
    t.type(one.handshake?.address, 'string')
    const answers = callers.map((caller, x) => caller.request('game.move', { x }))
    await pump()
    t.strictSame(
      (await Promise.all(answers)).map(({ data }) => data),
      [
        { by: 'bob', x: 0 },
        { by: 'ann', x: 1 },
      ],
    )
    callers[0]!.close()
    await pump()
    t.strictSame([one.log, server.consumers], [['closed remote'], [other]])
    other.close(1008)
    await pump()
    t.equal(await callers[1]!.closed, 'remote')
    t.strictSame(other.log, ['closed local'])
    server.close()
    await pump()
    await server.closed
  })
}

// They were read as texts, and answered with errors if they were none.
stage(t, 'binary messages of WebSocket are dropped, and told once', async (t, world) => {
  const server = new ConsumerServer(Peer).listen('ws://*:1;mode=server', world.context)
  await world.pump()
  const peer = await dial(world)
  peer.raw.news
  const ping = '{"t":"game.move","p":{"x":1},"i":"a"}'
  peer.write(Buffer.concat([masked(Buffer.from(ping)), masked(Buffer.from([0xff]))]))
  await world.pump()
  t.equal(peer.raw.news, '')
  const [one] = server.consumers as [Peer]
  t.strictSame(one.log, ['error ERR_FRAME'])
  peer.write(masked(ping))
  await world.pump()
  t.match(peer.raw.news, /game.moved/)
  server.close()
  peer.close()
  await world.pump()
})

stage(t, 'a server that closes', async (t, { context, pump }) => {
  const channel = context.init('mem://;mode=server').open()
  const server = new ConsumerServer(Peer).listen(channel)
  t.equal(server.channel, channel)
  const caller = new Caller().connect(server.client_url!, context)
  await pump()
  const [peer] = server.consumers as [Peer]
  t.equal(
    thrown(() => server.listen('mem://;mode=server', context)),
    'ERR_INVALID_STATE',
  )
  server.close()
  await pump()
  t.strictSame([peer.log, server.consumers], [['closed remote'], []])
  t.equal(await caller.closed, 'remote')
  server.listen('mem://;mode=server', context)
  t.equal(server.channel?.state, 'active')
  server.close()
})

stage(t, 'room to send more, and what a server has besides', async (t, { context, pump }) => {
  const posted: unknown[] = []
  let isFull = true
  const Odd = channelClass('odd', {
    do_post(message: unknown) {
      if (!isFull) posted.push(message)
      return !isFull
    },
  })
  context.register(Odd)
  const channel = context.init('odd://').open()
  const server = new ConsumerServer(Peer).listen(channel)
  const value = { headers: { cookie: 'a' }, query: new URLSearchParams('b=c') }
  channel.emit({ type: 'control', msgid: 10, addr: 1, value })
  await pump()
  const [peer] = server.consumers as [Peer]
  t.strictSame(peer.handshake, { address: '', ...value })
  peer.send('s.pong')
  t.equal(posted.length, 0)
  isFull = false
  channel.emit({ type: 'control', msgid: 40, addr: 1 })
  t.equal(posted.length, 1)
  channel.emit({ type: 'control', msgid: 60, addr: 1 })
  channel.emit('without addr')
  channel.emit({ data: 'of nobody', addr: 2 })
  channel.emit({ type: 'control', msgid: 20, addr: 1 })
  await until(() => peer.log.length === 1)
  t.strictSame(peer.log, ['closed remote'])
  channel.close()
})

stage(t, 'misuse', async (t, { context }) => {
  t.equal(
    thrown(() => new ConsumerServer(class {} as never)),
    'ERR_INVALID_ARGUMENT',
  )
  const server = new ConsumerServer(Consumer)
  t.equal(
    thrown(() => void server.opened),
    'ERR_INVALID_STATE',
  )
  t.equal(
    thrown(() => void server.closed),
    'ERR_INVALID_STATE',
  )
  t.equal(
    thrown(() => server.listen(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.strictSame([server.channel, server.client_url], [undefined, undefined])
  server.close()
  const Failing = channelClass('failing', {
    do_open() {
      throw new Error('no')
    },
  })
  context.register(Failing)
  server.listen(context.init('failing://'))
  t.equal(await fate(server.opened), 'rejected no')
  server.close()
})

stage(t, 'over WebSocket: who it is, and the codes of closing', async (t, { context, pump }) => {
  class Guarded extends Peer {
    override on_handshake(handshake: Handshake) {
      super.on_handshake(handshake)
      return handshake.headers['cookie'] === 'ann=1'
    }
  }
  const codes: unknown[] = []
  const receiver = ({ close_code }: { close_code: unknown }) => void codes.push(close_code)
  consumer_closed.connect(receiver, { sender: Guarded })
  const server = new ConsumerServer(Guarded).listen('ws://127.0.0.1:0;mode=server', context)
  await pump()
  const url = server.client_url!
  const refused = new Caller().connect(url, context)
  await pump()
  t.equal(await refused.closed, 'remote')
  const caller = new Caller().connect(`${url};header.Cookie=ann=1`, context)
  await pump()
  const [peer] = server.consumers as [Guarded]
  t.strictSame([caller.state, peer.state], ['active', 'active'])
  t.equal(peer.handshake?.headers['cookie'], 'ann=1')
  caller.close()
  await pump()
  t.strictSame(codes, [1000])
  consumer_closed.disconnect(receiver, { sender: Guarded })
  server.close()
  await pump()
  await server.closed
})

// Its peer stayed connected, and nobody ever answered it.
stage(t, 'a consumer that cannot be made', async (t, world) => {
  const logged: string[] = []
  world.context.engine.log = message => logged.push(message)
  class Choosy extends Player {
    static made = 0
    override queue_limit = ++Choosy.made === 1 ? NaN : 1
    constructor() {
      super()
      if (Choosy.made === 2) throw new Error('not today')
    }
  }
  const server = new ConsumerServer(Choosy).listen('ws://*:1;mode=server', world.context)
  await world.pump()
  for (const why of [/queue_limit must be an integer/, /not today/]) {
    const peer = await dial(world)
    t.ok(peer.raw.news.endsWith('\x88\x02\x03\xf3'), 'closed with 1011')
    t.match(logged.splice(0), [why])
    peer.close()
    await world.pump()
  }
  const peer = await dial(world)
  t.equal(server.consumers.length, 1)
  peer.close()
  server.close()
  await world.pump()
  const listen = () => new ConsumerServer(Choosy).listen('mem://;mode=server', {} as never)
  t.equal(thrown(listen), 'ERR_INVALID_ARGUMENT')
})
