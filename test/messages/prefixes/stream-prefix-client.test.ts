import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { errorText, reply, Say } from '../../../src/messages/prefixes/stream-wire.ts'
import { thrown } from '../../kit.ts'
import { dataOf, fault, stage, type Stage, watch } from '../kit.ts'
import { fresh, post, serve, settle } from './stream-kit.ts'

const CLIENT = 'stream+pub+tcp://127.0.0.1:1;request=tcp://127.0.0.1:2'

function client({ context }: Stage, parameters = ''): MessageChannel {
  const made = context.init(CLIENT + parameters)
  made.on_error = () => {}
  return made
}

function texts(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const seq = from + index
    return seq === 0 ? 'd0 #10' : `d${seq} #10 @${seq}`
  })
}

stage(t, 'history, then what is posted from now on', async (t, stage) => {
  const server = await serve(stage, fresh(t))
  post(server, 100, 105)
  const sub = stage.context.init(server.client_url!)
  const log = watch(sub)
  sub.open('mode=seq;seq=103')
  t.equal(
    thrown(() => sub.post('x')),
    'ERR_INVALID_STATE',
  )
  await settle(stage, () => log.includes('Online'))
  t.match(sub.info, { seq: 105n, online: true })
  post(server, 106, 107)
  await settle(stage, () => log.length === 8)
  t.strictSame(log, ['opening', 'active', ...texts(103, 105), 'Online', ...texts(106, 107)])
  t.equal(sub.post({ type: 'control', msgid: 99 }), true)
  await settle(stage, () => server.info['readers'] === 0)
  server.close()
  await settle(stage, () => sub.state === 'closed' && server.state === 'closed')
})

stage(t, 'where it begins', async (t, stage) => {
  const server = await serve(stage, fresh(t))
  post(server, 100, 102)
  for (const [opening, from] of [
    ['mode=online', 103],
    ['mode=seq;seq=0', 100],
    ['mode=seq;seq=101', 101],
    ['mode=seq-data;seq=101', 102],
    ['mode=seq-data;seq=102', 103],
    ['mode=seq;seq=103', 103],
    ['mode=continue;seq=99', 100],
  ] as const) {
    const sub = client(stage)
    const log = watch(sub)
    sub.open(opening)
    await settle(stage, () => log.includes('Online'))
    const data = texts(from, 102)
    t.strictSame(log, ['opening', 'active', ...data, 'Online'], opening)
    sub.destroy()
  }
  await settle(stage, () => server.info['readers'] === 0)
  server.close(true)
})

stage(t, 'nothing was ever posted', async (t, stage) => {
  const server = await serve(stage, fresh(t))
  const sub = client(stage)
  const log = watch(sub)
  sub.open('mode=seq;seq=0')
  await settle(stage, () => log.includes('Online'))
  post(server, 0, 1)
  await settle(stage, () => log.length === 5)
  t.strictSame(log, ['opening', 'active', 'Online', ...texts(0, 1)])
  server.close(true)
  await settle(stage, () => sub.state === 'closed')
})

// The seam between history and what is new is where messages are lost or doubled.
stage(t, 'posting while history comes: each once, in order', async (t, stage) => {
  const server = await serve(stage, fresh(t))
  post(server, 0, 199)
  const subs = ['', ';size=10b', ';size=100b'].map(parameters => client(stage, parameters))
  const got = subs.map(sub => {
    const seqs: number[] = []
    sub.callback_add(({ seq }) => void seqs.push(Number(seq)), 'data')
    sub.open('mode=seq;seq=0')
    return seqs
  })
  for (let seq = 200; seq < 400; seq++) {
    post(server, seq, seq)
    if (seq % 3 === 0) await stage.advance(1)
  }
  await settle(stage, () => got.every(seqs => seqs.at(-1) === 399))
  for (const seqs of got)
    t.strictSame(
      seqs,
      Array.from({ length: 400 }, (_, index) => index),
    )
  for (const sub of subs) t.match(sub.info, { seq: 399n, online: true })
  server.close(true)
  await settle(stage, () => subs.every(({ state }) => state === 'closed'))
})

stage(t, 'a hook that takes its time', async (t, stage) => {
  const server = await serve(stage, fresh(t))
  post(server, 0, 4)
  const sub = client(stage)
  const seqs: number[] = []
  let inside = 0
  sub.on_message = async ({ seq }) => {
    t.equal(++inside, 1, 'one at a time')
    const gate = deferred<void>()
    stage.engine.defer(7, () => gate.resolve())
    await gate.promise
    seqs.push(Number(seq))
    inside--
  }
  sub.open('mode=seq;seq=0')
  await settle(stage, () => seqs.length > 1)
  post(server, 5, 9)
  await settle(stage, () => sub.info['online'] === true)
  post(server, 10, 12)
  await settle(stage, () => seqs.length === 13)
  t.strictSame(
    seqs,
    Array.from({ length: 13 }, (_, index) => index),
  )
  server.close(true)
  await settle(stage, () => sub.state === 'closed')
})

stage(t, 'reopen+ with mode=continue: nothing is missed or doubled', async (t, stage) => {
  const file = fresh(t)
  let server = await serve(stage, file)
  post(server, 0, 2)
  const sub = stage.context.init(`reopen+${CLIENT};timeout-min=10ms`)
  sub.on_error = () => {}
  const got = dataOf(sub)
  sub.open('mode=continue;seq=0')
  await settle(stage, () => got.length === 2)
  server.close(true)
  server.destroy()
  server = await serve(stage, file)
  post(server, 3, 5)
  await settle(stage, () => got.length === 5)
  t.strictSame(got, ['d1', 'd2', 'd3', 'd4', 'd5'])
  sub.close(true)
  server.close(true)
})

/** A server by hand, at whose request port something else listens. */
async function fake(stage: Stage): Promise<{ request: MessageChannel; sub: MessageChannel }> {
  const pub = stage.context.init('pub+tcp://:1;mode=server').open()
  const request = stage.context.init('tcp://:2;mode=server').open()
  await stage.pump()
  pub.post({ seq: 5n })
  const sub = client(stage)
  sub.open('mode=seq;seq=0')
  return { request, sub }
}

// It was kept because it came while the connection for history was made.
stage(t, 'a message that is not wanted comes before the reply', async (t, stage) => {
  const pub = stage.context.init('pub+tcp://:1;mode=server').open()
  const request = stage.context.init('tcp://:2;mode=server').open()
  await stage.pump()
  pub.post({ seq: 5n })
  request.on_message = ({ msgid, addr }) => {
    if (msgid !== Say.Request) return
    pub.post({ seq: 6n, data: 'not this' })
    stage.engine.defer(50, () => request.post({ msgid: Say.Reply, data: reply(6n, 7n), addr }))
  }
  const sub = client(stage)
  const got = dataOf(sub)
  sub.open('mode=seq-data;seq=6')
  await settle(stage, () => sub.info['online'] === true)
  pub.post({ seq: 7n, data: 'this' })
  await settle(stage, () => got.length > 0)
  t.strictSame(got, ['this'])
  for (const channel of stage.engine.channels) (channel as MessageChannel).close(true)
})

stage(t, 'what the server may answer', async (t, stage) => {
  for (const [title, answers, message] of [
    [
      'an error',
      [{ msgid: Say.Error, data: errorText('no such seq') }],
      'the server says: no such',
    ],
    ['no reply', [{ msgid: 5 }], 'msgid 5 came, and no reply'],
    ['a short reply', [{ msgid: Say.Reply, data: Buffer.alloc(5) }], 'a reply of 5 bytes'],
    [
      'seqs that do not grow',
      [{ msgid: Say.Reply, data: reply(5n, 0n) }, { seq: 3n }, { seq: 3n }],
      'seq 3 came after seq 3',
    ],
  ] as const) {
    const { request, sub } = await fake(stage)
    request.on_message = ({ addr }) => {
      for (const each of answers) request.post({ ...each, addr })
    }
    await settle(stage, () => sub.state === 'error')
    t.match(sub.error, { code: 'ERR_STREAM', message: new RegExp(`^stream\\+: ${message}`) }, title)
    for (const channel of stage.engine.channels) (channel as MessageChannel).close(true)
    await stage.pump()
  }
})

stage(t, 'the request connection ends too early, or fails', async (t, stage) => {
  const { request, sub } = await fake(stage)
  request.on_message = ({ addr }) => void request.post({ type: 'control', msgid: 20, addr })
  await settle(stage, () => sub.state === 'error')
  t.match(sub.error, { message: 'stream+: the server has closed the request connection' })
  sub.close(true)
  request.close(true)
  await stage.pump()
  sub.open('mode=seq;seq=0')
  await settle(stage, () => sub.state === 'error')
  t.match(sub.error, { code: 'ECONNREFUSED' })
  for (const channel of stage.engine.channels) (channel as MessageChannel).close(true)
})

stage(t, 'closed in the middle, in any hook', async (t, stage) => {
  const server = await serve(stage, fresh(t))
  post(server, 0, 5)
  for (const step of ['active', 'd0 #10', 'd5 #10 @5', 'Online']) {
    const sub = client(stage)
    const log = watch(sub)
    sub.callback_add(() => {
      if (log.at(-1) === step) sub.close()
    }, ['state', 'data', 'control'])
    sub.open('mode=seq;seq=0')
    await settle(stage, () => sub.state === 'closed')
    t.strictSame(log.slice(log.indexOf(step) + 1), ['closing', 'closed'], step)
    sub.destroy()
  }
  const waits = client(stage)
  const gate = deferred<void>()
  waits.on_message = ({ seq }) => (seq === 5n ? gate.promise : undefined)
  const log = watch(waits)
  waits.open('mode=seq;seq=0')
  await settle(stage, () => log.at(-1) === 'd5 #10 @5')
  waits.close()
  gate.resolve()
  await settle(stage, () => waits.state === 'closed')
  t.strictSame(log.slice(-2), ['closing', 'closed'])
  const early = client(stage).open('mode=seq;seq=0')
  early.close(true)
  t.equal(early.state, 'closed')
  await settle(stage, () => server.info['readers'] === 0)
  server.close(true)
})

stage(t, 'URLs and openings', async (t, { context }) => {
  for (const [url, message] of [
    ['stream+tcp://127.0.0.1:1;request=tcp://127.0.0.1:2', 'stream+ stands before pub+'],
    ['stream+pub+tcp://127.0.0.1:1', 'request must be given'],
    [
      'stream+pub+tcp://127.0.0.1:1;request=tcp://127.0.0.1:2;request.frame=line',
      'request must be a channel that carries msgid and seq',
    ],
    [`${CLIENT};size=0b`, 'size must be'],
  ] as const)
    t.match(
      fault(() => context.init(url)),
      message,
    )
  const sub = context.init(CLIENT)
  sub.on_error = () => {}
  for (const [opening, message] of [
    ['', 'mode must be given, one of online, seq, seq-data, continue'],
    ['mode=block', 'mode must be one of'],
    ['mode=seq', 'seq must be'],
    ['mode=continue;seq=x', 'seq must be'],
    ['mode=online;sqe=1', 'sqe'],
  ] as const) {
    sub.open(opening)
    t.equal(sub.state, 'error', opening)
    t.match(sub.error, { message: new RegExp(message) })
    sub.close(true)
  }
})
