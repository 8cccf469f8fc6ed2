import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import { LINK } from '../../../src/envelope/consumers/consumer-link.ts'
import { ConsumerServer } from '../../../src/envelope/consumers/consumer-server.ts'
import type { Handshake } from '../../../src/envelope/consumers/handshake.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import { Layer } from '../../../src/envelope/layers/layer.ts'
import { add_layers, remove_layers } from '../../../src/envelope/layers/layer-table.ts'
import {
  consumer_closed,
  consumer_connected,
} from '../../../src/envelope/signals/message-signals.ts'
import { Message } from '../../../src/messages/message.ts'
import { emitText } from '../../../src/messages/texts.ts'
import { MemoryRelay } from '../../../src/relay/memory-relay.ts'
import { fate } from '../../kit.ts'
import { channelClass, stage } from '../../messages/kit.ts'
import { game, Move, Moved, Player, Taken } from './kit.ts'

class Logged extends Player {
  override on_handshake(_handshake: Handshake): unknown {
    this.log.push('handshake')
    this.user_pk = 1
    return undefined
  }
  override on_connect(): unknown {
    this.log.push('connect')
    return undefined
  }
  override does(move: Move) {
    this.log.push(`move ${move.data.x}`)
  }
}

stage(t, 'the order of a life, and again', async (t, { context, pump }) => {
  const player = new Logged()
  consumer_connected.connect(({ consumer }) => void consumer.log.push('connected'), {
    sender: Logged,
    dispatch_uid: 'order',
  })
  consumer_closed.connect(({ consumer }) => void consumer.log.push('closed signal'), {
    sender: Logged,
    dispatch_uid: 'order',
  })
  const peer = context.init('mem://;name=peer').open()
  const channel = context.init('mem://;master=peer')
  for (let round = 0; round < 2; round++) {
    if (round === 0) player.connect(channel, context)
    else player.connect(channel.open())
    peer.post('{"t":"game.move","p":{"x":1}}')
    t.equal(await player.opened, player)
    await pump()
    t.strictSame(player.log.splice(0), ['handshake', 'connect', 'connected', 'move 1'])
    emitText(channel, '{"t":"game.move","p":{"x":2}}', undefined)
    await pump()
    t.same(player.log.splice(0), ['move 2'], 'a text that no Message was made of')
    if (round === 0) player.close()
    else channel.close()
    t.equal(player.state, 'closed')
    t.equal(await player.closed, round === 0 ? 'local' : 'remote')
    t.strictSame(player.log.splice(0), ['closed signal', `closed ${round ? 'remote' : 'local'}`])
    player.close()
  }
  peer.close()
})

stage(t, 'a handshake that takes its time: what comes meanwhile waits', async (t, stage) => {
  const { context, pump } = stage
  const decision = deferred<void>()
  class Late extends Logged {
    override on_handshake() {
      return decision.promise
    }
  }
  const player = new Late()
  player.queue_limit = 2
  const peer = context.init('mem://;name=peer').open()
  player.connect('mem://;master=peer', context)
  peer.post('{"t":"game.move","p":{"x":1}}')
  peer.post('{"t":"game.move","p":{"x":2}}')
  await pump()
  t.strictSame([player.state, player.log], ['opening', []])
  decision.resolve()
  await pump()
  t.strictSame(player.log.splice(0), ['connect', 'move 1', 'move 2'])
  player.close()
  peer.close()
})

for (const [title, refuses, log] of [
  ['false', () => false, []],
  ['a promise of false', async () => false, []],
  [
    'what is thrown',
    () => {
      throw new Error('no')
    },
    ['error no'],
  ],
  ['a rejection', () => Promise.reject(new Error('no')), ['error no']],
  [
    'an error message',
    () => {
      throw new Taken({ name: 'ann' })
    },
    [],
  ],
] as const) {
  stage(t, `a handshake refuses by ${title}`, async (t, { context, pump }) => {
    class Refusing extends Player {
      override on_handshake(): unknown {
        return refuses()
      }
    }
    const player = new Refusing()
    const heard: string[] = []
    const peer = context.init('mem://;name=peer').open()
    peer.on_message = ({ data }) => void heard.push(data.toString())
    player.connect('mem://;master=peer', context)
    t.equal(await fate(player.opened), 'rejected ERR_CLOSED')
    await pump()
    t.strictSame(player.log, [...log, 'closed local'])
    t.equal(player.state, 'closed')
    if (title === 'an error message') t.match(heard[0], /"error.taken"/)
    peer.close()
  })
}

stage(t, 'a peer without a user, if there must be one', async (t, { context }) => {
  const player = new Player()
  player.allow_unauthenticated = false
  context.init('mem://;name=peer').open()
  player.connect('mem://;master=peer', context)
  t.equal(await fate(player.opened), 'rejected ERR_CLOSED')
})

stage(t, 'it closes while the handshake is being decided', async (t, { context, pump }) => {
  context.init('mem://;name=peer').open()
  for (const outcome of [undefined, new Error('late')]) {
    const decision = deferred<void>()
    class Late extends Player {
      override on_handshake() {
        return decision.promise
      }
    }
    const player = new Late().connect('mem://;master=peer', context)
    player.close()
    if (outcome === undefined) decision.resolve()
    else decision.reject(outcome)
    await pump()
    t.strictSame([player.state, player.log], ['closed', ['closed local']])
    t.equal(player.send('game.moved', { by: '', x: 1 }), false)
  }
})

stage(t, 'too much comes before the handshake is done', async (t, { context, pump }) => {
  class Never extends Player {
    override on_handshake() {
      return new Promise(() => {})
    }
  }
  const player = new Never()
  player.queue_limit = 2
  const peer = context.init('mem://;name=peer').open()
  player.connect('mem://;master=peer', context)
  for (let count = 0; count < 4; count++) peer.post('{}')
  await pump()
  t.strictSame(player.log, ['error ERR_OVERFLOW', 'closed local'])
  peer.close()
})

stage(t, 'a channel that fails, and hooks that throw', async (t, { context, pump }) => {
  class Throwing extends Player {
    override on_connect() {
      throw new Error('in on_connect')
    }
    override on_close() {
      throw new Error('in on_close')
    }
  }
  const player = new Throwing()
  const Failing = channelClass('failing', {})
  context.register(Failing)
  const channel = context.init('failing://').open()
  player.connect(channel)
  await pump()
  channel.fail(new Error('of the channel'))
  t.equal(await player.closed, 'error')
  t.strictSame(player.log, ['error in on_connect', 'error of the channel', 'error in on_close'])
})

stage(t, 'room to send more, and a channel that is not read', async (t, { context, pump }) => {
  const open: (() => void)[] = []
  class Slow extends Player {
    override does(): unknown {
      return new Promise<void>(resolve => open.push(resolve))
    }
  }
  const player = new Slow()
  const peer = context.init('mem://;name=peer;size=1kb').open()
  player.connect('mem://;master=peer', context)
  await pump()
  for (let x = 0; x < 20; x++) player.send('game.moved', { by: 'x'.repeat(40), x })
  const heard: string[] = []
  peer.on_message = ({ data }) => void heard.push(JSON.parse(String(data)).p.x)
  await pump()
  t.strictSame(
    heard,
    Array.from({ length: 20 }, (_, x) => x),
  )
  let taken = 0
  for (let x = 0; x < 1000; x++) {
    if (peer.post(`{"t":"game.move","p":{"x":${x}}}`)) taken++
    await pump()
  }
  t.ok(taken > 64 && taken < 200, 'the rest had no room: the player does not read')
  player.close()
  peer.close()
})

stage(t, 'what is sent when there is room again may fail', async (t, { context, pump }) => {
  let isFull = true
  const Odd = channelClass('odd', {
    do_post() {
      if (isFull) return false
      throw new Error('cannot post')
    },
  })
  context.register(Odd)
  const channel = context.init('odd://').open()
  const player = new Player().connect(channel)
  await pump()
  player.send('s.pong')
  isFull = false
  channel.emit({ type: 'control', msgid: 40 })
  channel.emit({ type: 'control', msgid: 41 })
  t.strictSame(player.log, ['error cannot post'])
  channel.close()
})

game(t, 'binary messages of WebSocket are dropped, and told once', async (t, { player, heard }) => {
  const data = Buffer.from('{"t":"game.move","p":{"x":1}}')
  for (const value of ['binary', 'binary', undefined])
    player[LINK].arrived(new Message({ data, value }))
  t.strictSame([player.log, heard.length], [['error ERR_FRAME'], 0])
})

game(t, 'after closing nothing is received', async (t, { player, say, pump }) => {
  say('{"t":"s.ping"}')
  player.close()
  await pump()
  t.equal(player.last_received, 0)
})

stage(t, 'a peer of a server', async (t, { engine, pump }) => {
  const player = new Player()
  const posted: string[] = []
  const port = { canWait: false, post: (text: string) => posted.push(text) > 0, close() {} }
  const link = player[LINK]
  link.begin(engine, port, { address: 'a', headers: {}, query: new URLSearchParams() })
  await pump()
  t.equal(link.received(Buffer.from('{"t":"s.ping"}')), undefined)
  t.equal(posted.length, 1)
  player.close(1008)
  t.equal(link.received(Buffer.from('{"t":"s.ping"}')), undefined)
  t.equal(posted.length, 1, 'it is closing')
  link.ended(link.reason)
  link.ended('remote')
  t.equal(await player.closed, 'local')
})

stage(t, 'the code that a peer of a server has closed with', async (t, { engine, pump }) => {
  const codes: unknown[] = []
  const receiver = ({ close_code }: { close_code: unknown }) => void codes.push(close_code)
  consumer_closed.connect(receiver, { sender: Player })
  for (const code of [undefined, 0, 4001]) {
    const player = new Player()
    const port = { canWait: false, post: () => true, close() {} }
    player[LINK].begin(engine, port, { address: '', headers: {}, query: new URLSearchParams() })
    await pump()
    player[LINK].ended('remote', code)
    await player.closed
  }
  t.strictSame(codes, [undefined, undefined, 4001])
  consumer_closed.disconnect(receiver, { sender: Player })
})

stage(t, 'an envelope whose layer is unknown', async (t, { context, pump }) => {
  const outgoing = new Envelope({ name: 'lost', layer_name: 'lost' })
  for (const decided of [undefined, Promise.resolve()]) {
    class Lost extends Player {
      override readonly outgoing = outgoing as never
      override on_handshake() {
        return decided
      }
    }
    const peer = context.init('mem://;name=peer').open()
    const player = new Lost().connect('mem://;master=peer', context)
    await pump()
    t.strictSame(player.log, ['error ERR_INVALID_ARGUMENT', 'closed local'])
    peer.destroy()
  }
})

stage(t, 'a layer whose relay is closed', async (t, { engine, context, pump }) => {
  const relay = new MemoryRelay({ engine })
  add_layers(new Layer(relay, 'closed'))
  await relay.close()
  class Lost extends Player {
    override readonly outgoing = new Envelope({ name: 'lost', layer_name: 'closed' }) as never
  }
  const peer = context.init('mem://;name=peer').open()
  const player = new Lost().connect('mem://;master=peer', context)
  await pump()
  t.strictSame([player.log, player.state], [['error ERR_RELAY_CLOSED'], 'active'])
  remove_layers('closed')
  player.close()
  peer.close()
})

stage(t, 'a peer that takes too little is closed', async (t, { context, pump }) => {
  const player = new Player()
  player.queue_limit = 3
  const peer = context.init('mem://;name=peer;size=1kb').open()
  player.connect('mem://;master=peer', context)
  await pump()
  let sent = 0
  while (player.send('game.moved', { by: 'x'.repeat(200), x: 1 })) sent++
  t.ok(sent > 3 && sent < 10, `${sent} messages, 3 of which waited`)
  await pump()
  t.strictSame(player.log, ['error ERR_OVERFLOW', 'closed local'])
  t.equal(player[LINK].send('x'), false)
  peer.close()
})

t.test('before there is a connection, nothing is sent', async t => {
  t.equal(new Player()[LINK].send('x'), false)
})

// It was told that it was closed, and not why.
stage(t, 'a channel that cannot be opened: opened says why', async (t, { context }) => {
  class Failing extends channelClass('failing', {}) {
    override do_open(): void {
      throw new Error('no way')
    }
  }
  context.register(Failing)
  const player = new Player()
  player.connect('failing://', context)
  await t.rejects(player.opened, { message: /no way/ })
})

class Unlucky extends Player {
  how: (error: Error) => unknown = () => {}
  override does(): never {
    throw 'no error'
  }
  override on_error(error: Error): any {
    return this.how(error)
  }
}

const FAILING: Readonly<Record<string, (error: Error) => unknown>> = {
  throws(error) {
    throw error
  },
  async rejects(error) {
    throw error
  },
}

// The rejection ended the process.
for (const [name, how] of Object.entries(FAILING)) {
  const player = Object.assign(new Unlucky(), { how })
  game(
    t,
    `on_error ${name}`,
    async (t, { say, heard, pump }) => {
      const logged: string[] = []
      player[LINK].engine!.log = message => logged.push(message)
      say('{"t":"game.move","p":{"x":1},"i":"a"}')
      await pump()
      t.match(logged, [/^on_error of a consumer: a hook threw "no error"/])
      t.match(heard, [/error.generic/])
    },
    player,
  )
}

/*
 * What was sent while the channel was still connecting told on_error that the channel is not open,
 * although `send` says that it returns false, and a request told twice.
 */
stage(t, 'nothing can be sent before there is a peer', async (t, { context, pump }) => {
  const server = context.init('tcp://127.0.0.1:0;frame=line;mode=server').open()
  await pump()
  const errors: Error[] = []
  const player = Object.assign(new Player(), { on_error: (error: Error) => errors.push(error) })
  player.connect(server.client_url as string, context)
  const moved = new Moved({ by: 'ann', x: 1 })
  t.strictSame([player.state, player.send(moved)], ['opening', false])
  t.equal(await fate(player.request(moved)), 'rejected ERR_CLOSED')
  await pump()
  t.strictSame([player.state, player.send(moved), errors], ['active', true, []])
  player.close()
  server.close()
  await pump()
})

// It was 'remote', as if the peer had closed.
stage(t, 'an engine that stops is the reason', async (t, { context, engine, pump }) => {
  const server = new ConsumerServer(Player).listen('tcp://127.0.0.1:0;frame=line', context)
  await pump()
  const player = new Player().connect(server.client_url as string, context)
  await pump()
  const [other] = server.consumers
  await Promise.all([engine.stop(), pump()])
  t.strictSame([await player.closed, await other!.closed], ['drain', 'drain'])
})
