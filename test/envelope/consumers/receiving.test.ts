import t from 'tap'
import { Batch, Batch2 } from '../../../src/envelope/builtin/batch.ts'
import { type Consumer, consumer } from '../../../src/envelope/consumers/consumer.ts'
import { LINK } from '../../../src/envelope/consumers/consumer-link.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { integer } from '../../../src/envelope/schema/scalars.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import type { StandardSchema } from '../../../src/envelope/schema/standard.ts'
import { incoming_websocket_message } from '../../../src/envelope/signals/message-signals.ts'
import { game, Move, Player, Taken, to_client } from './kit.ts'

game(t, 'a valid message is answered', async (t, { say, heard, pump, player }) => {
  say('{"t":"game.move","p":{"x":1},"i":"a"}')
  say('{"t":"s.ping","i":5}')
  await pump()
  t.strictSame(heard, [
    '{"t":"game.moved","p":{"by":"ann","x":1},"i":"a","s":"s"}',
    '{"t":"s.pong","p":null,"i":"5","s":"s"}',
  ])
  t.ok(player.last_received > 0)
  player[LINK].received('{"t":"s.ping","i":"as text"}')
  await pump()
  t.match(heard.at(-1), /s.pong.*as text/)
})

game(t, 'what is invalid is dropped, and refused with the same trace id', async (t, game) => {
  const { say, heard, pump, player } = game
  for (const text of [
    '{}',
    'x',
    Buffer.from([0xff]),
    '{"t":"game.none","i":"a"}',
    '{"t":"game.move","i":"b"}',
  ])
    say(text)
  await pump()
  const shown = heard.map(text => JSON.parse(text))
  t.strictSame(
    shown.map(({ t, i, s }) => `${t} ${i} ${s}`),
    [
      'error.validation null f',
      'error.validation null f',
      'error.validation null f',
      'error.msg_type a f',
      'error.validation b f',
    ],
  )
  t.strictSame(shown[0].p, {
    msg: null,
    errors: [{ loc: ['t'], msg: 'field required', type: 'value_error.missing' }],
  })
  t.strictSame(shown[3].p, { msg: null, type_name: 'game.none', envelope: 'game_incoming' })
  t.strictSame(shown[4].p.errors[0].loc, ['x'])
  t.equal(player.last_received, 0)
  t.strictSame(player.log, [])
})

game(t, 'an answer or an error is never answered with an error', async (t, game) => {
  const { say, heard, pump, player } = game
  say('{"t":"error.none","i":"a","s":"f"}')
  say('{"t":"game.move","i":"a","s":"s"}')
  say('{"t":"error.msg_type","p":{"type_name":"x","envelope":"y"},"i":"a","s":"f"}')
  say('{"t":"error.not_found","i":"a"}')
  await pump()
  t.strictSame(heard, [])
  t.strictSame(player.log, ['error ERR_MSG_TYPE', 'error ERR_VALIDATION', 'error ERR_VALIDATION'])
})

class Failing extends Player {
  override does(move: Move): unknown {
    const { x } = move.data
    if (x === 1) throw new Taken({ name: 'ann' })
    if (x === 2) return Promise.reject(new Taken({ name: 'bob', mm: { id: 'own' } }))
    if (x === 3) throw new Error('a fault of ours')
    if (x === 4) throw 'no error at all'
    return super.does(move)
  }
  override on_message(message: Move): unknown {
    if (message.data.x === 5) throw new Taken({ name: 'after' })
    return message.data.x === 6 ? Promise.reject(new Error('later')) : undefined
  }
}

game(
  t,
  'what is thrown while a message is worked on',
  async (t, { say, heard, pump, player }) => {
    for (const x of [1, 2, 3, 4, 5, 6]) say(`{"t":"game.move","p":{"x":${x}},"i":"${x}"}`)
    say('{"t":"game.move","p":{"x":3}}')
    say('{"t":"game.move","p":{"x":1}}')
    await pump()
    t.strictSame(
      heard.map(text => JSON.parse(text)).map(({ t, i, s, p }) => `${t} ${i} ${s} ${p.name}`),
      [
        'error.taken 1 f ann',
        'error.taken own f bob',
        'error.generic 3 f undefined',
        'error.generic 4 f undefined',
        'game.moved 5 s undefined',
        'error.taken 5 f after',
        'game.moved 6 s undefined',
        'error.generic 6 f undefined',
        'error.taken null f ann',
      ],
    )
    t.strictSame(player.log, [
      'error a fault of ours',
      'error ERR_HOOK',
      'error later',
      'error a fault of ours',
    ])
  },
  new Failing(),
)

class Broken extends Player {
  override does(): unknown {
    throw new Taken({ name: 'a' })
  }
  override send_error(): boolean {
    throw new Error('cannot send')
  }
}

game(
  t,
  'an error that cannot be sent, and a refusal that throws',
  async (t, { say, pump, player }) => {
    say('{"t":"game.move","p":{"x":1}}')
    say('{"t":"game.none"}')
    await pump()
    t.strictSame(player.log, ['error cannot send', 'error cannot send'])
  },
  new Broken(),
)

class Slow extends Player {
  readonly open: (() => void)[] = []
  override does(move: Move): unknown {
    this.log.push(`begins ${move.data.x}`)
    return new Promise<void>(resolve => this.open.push(resolve)).then(() => super.does(move))
  }
}

const slow = new Slow()
game(
  t,
  'messages wait for the one that is being worked on',
  async (t, { say, heard, pump }) => {
    for (const x of [1, 2]) say(`{"t":"game.move","p":{"x":${x}}}`)
    say('{"t":"game.none"}')
    await pump()
    t.strictSame(slow.log, ['begins 1'])
    slow.open[0]!()
    await pump()
    t.strictSame(slow.log, ['begins 1', 'begins 2'])
    t.equal(heard.length, 1)
    slow.open[1]!()
    await pump()
    t.equal(heard.length, 3)
  },
  slow,
)

const crowded = new Slow()
crowded.queue_limit = 3
game(
  t,
  'a peer that sends more than can be worked on is closed',
  async (t, { say, pump }) => {
    for (const x of [1, 2, 3, 4, 5]) say(`{"t":"game.move","p":{"x":${x}}}`)
    await pump()
    crowded.open[0]!()
    await pump()
    t.strictSame(crowded.log, ['begins 1', 'error ERR_OVERFLOW', 'closed local'])
  },
  crowded,
)

const late: StandardSchema<unknown, { ok: boolean }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async value =>
      (value as { ok?: boolean }).ok ? { value: { ok: true } } : { issues: [{ message: 'no' }] },
  },
}
class Late extends message('game.late', late) {}
class LatePlayer extends consumer({
  incoming: new Envelope({ name: 'late', messages: [Late, Move, Batch, Batch2] }),
  outgoing: to_client,
}) {
  readonly log: string[] = []
  does({ data }: Move) {
    this.log.push(`move ${data.x}`)
  }
  override on_message(message: { type_name: string }): void {
    this.log.push(message.type_name)
  }
}

const latePlayer = new LatePlayer()
game(
  t,
  'a schema that answers later keeps its place, also in a batch',
  async (t, { say, heard, pump }) => {
    say('{"t":"game.late","p":{"ok":true}}')
    say('{"t":"game.late","i":"a"}')
    say('{"t":"game.move","p":{"x":1}}')
    say('{"t":"s.batch","p":{"t":"game.late","payloads":[{"ok":true},{},{"ok":true}]},"i":"b"}')
    await pump()
    t.strictSame(latePlayer.log.splice(0), [
      'game.late',
      'move 1',
      'game.move',
      'game.late',
      'game.late',
    ])
    t.strictSame(
      heard.splice(0).map(text => JSON.parse(text).i),
      ['a', 'b'],
    )
    const receiver = () => Promise.resolve()
    incoming_websocket_message.connect(receiver, { sender: Batch2 })
    say('{"t":"s.batch","p":{"t":"game.move","payloads":[{"x":1},null,{"x":2}]},"i":"c"}')
    say('{"t":"s.batch2","p":{"t":"game.move","keys":["x"],"values":[[3]]}}')
    await pump()
    t.strictSame(latePlayer.log, [
      'move 1',
      'game.move',
      'move 2',
      'game.move',
      'move 3',
      'game.move',
    ])
    t.equal(heard.length, 1)
    incoming_websocket_message.disconnect(receiver, { sender: Batch2 })
  },
  latePlayer as never,
)

t.test('an async receiver of the signal comes before on_message', async t => {
  class Watched extends message('game.watched', shape({ x: integer })) {}
  const log: string[] = []
  incoming_websocket_message.connect(
    async ({ message }) => {
      log.push(`signal ${message.data.x}`)
    },
    { sender: Watched },
  )
  class Watcher extends consumer({
    incoming: new Envelope({ name: 'watched', messages: [Watched] }),
    outgoing: to_client,
  }) {
    override on_message(message: Watched) {
      log.push(`hook ${message.data.x}`)
    }
  }
  await game(
    t,
    'in order',
    async (t, { say, pump }) => {
      for (const x of [1, 2]) say(`{"t":"game.watched","p":{"x":${x}}}`)
      await pump()
      t.strictSame(log, ['signal 1', 'hook 1', 'signal 2', 'hook 2'])
    },
    new Watcher() as never,
  )
})

class Odd extends Player {
  override on_error_message() {
    throw new Error('in on_error_message')
  }
}

const odd = new Odd()
game(
  t,
  'hooks about answers that throw',
  async (t, { say, heard, pump }) => {
    const on_progress = () => {
      throw new Error('in on_progress')
    }
    void (odd as Consumer<any, any>).request('s.pong', null, { on_progress })
    await pump()
    const { i } = JSON.parse(heard.splice(0)[0]!)
    say(`{"t":"game.move","p":{"x":1},"i":"${i}","s":"r"}`)
    say(`{"t":"error.generic","i":"${i}","s":"f"}`)
    await pump()
    t.strictSame(odd.log, ['error in on_progress', 'error in on_error_message'])
    t.equal(heard.length, 1, 'an error is not answered')
  },
  odd,
)

class Faulty extends message('game.faulty') {
  constructor() {
    super()
    throw new Error('in the constructor')
  }
}
class Hosting extends consumer({
  incoming: new Envelope({ name: 'faulty', messages: [Faulty] }),
  outgoing: to_client,
}) {
  readonly log: string[] = []
  override on_error(error: Error) {
    this.log.push(error.message)
  }
}

const hosting = new Hosting()
game(
  t,
  'a fault of ours is not answered, and a message from inside needs no hook',
  async (t, { say, heard, pump }) => {
    say('{"t":"game.faulty","i":"a"}')
    hosting.receive_event({ type: 'internal.msg', t: 's.ping', i: 'b' })
    await pump()
    t.strictSame(hosting.log, ['in the constructor'])
    t.strictSame(heard, ['{"t":"s.pong","p":null,"i":"b","s":"s"}'])
  },
  hosting as never,
)

class Unwilling extends Player {
  override async on_refused(): Promise<void> {
    throw new Error('cannot refuse')
  }
}

// Its promise was nobody's: the rejection ended the process, and what came afterwards waited.
game(
  t,
  'a refusal whose promise rejects',
  async (t, { say, heard, pump, player }) => {
    say('{"t":"game.none"}')
    say('{"t":"game.move","p":{"x":1}}')
    await pump()
    t.strictSame(player.log, ['error cannot refuse'])
    t.equal(heard.length, 1)
  },
  new Unwilling(),
)
