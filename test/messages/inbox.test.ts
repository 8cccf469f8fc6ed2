import t from 'tap'
import { Message } from '../../src/messages/message.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import { channelClass, type Stage, stage } from './kit.ts'

function open({ context }: Stage): MessageChannel {
  if (!context.protocols.includes('x')) context.register(channelClass('x', {}))
  return context.init('x://').open()
}

const data = (text: string): Message => new Message({ data: text })

stage(t, 'recv: one message', async (t, stage) => {
  const channel = open(stage)
  const first = channel.recv()
  const waits = channel.emit(data('a'))
  t.equal(String((await first).data), 'a')
  const second = channel.recv()
  let next = 'waits'
  void (waits as Promise<void>).then(() => (next = 'came'))
  await null
  t.equal(next, 'waits', 'until the program can have asked for it')
  stage.clock.advance(0)
  await waits
  channel.emit(data('b'))
  t.equal(String((await second).data), 'b')
  const state = channel.recv({ type: 'state' })
  channel.close()
  t.equal((await state).msgid, 3)
})

stage(t, 'recv: no message', async (t, stage) => {
  const channel = open(stage)
  const late = t.rejects(channel.recv({ timeout: 10 }), {
    code: 'ERR_TIMEOUT',
    message: 'noname-0: no message came within its timeout, 10 ms',
  })
  await stage.advance(10)
  await late
  const closed = channel.recv({ timeout: 10 })
  channel.close()
  await t.rejects(closed, {
    code: 'ERR_CLOSED',
    message: 'noname-0 is closed: nothing is received',
  })
  await t.rejects(channel.recv(), {
    code: 'ERR_CLOSED',
    message: 'noname-0 is closed: nothing is received',
  })
  channel.open().on_error = () => {}
  const failed = channel.recv()
  channel.fail(new Error('x'))
  // This used to be ClosedError, which does not give the reason.
  await t.rejects(failed, { message: 'x' })
  await t.rejects(channel.recv(), { message: 'x' })
})

// A process that stood still for longer than the timeout gave up before it had looked for what came
// meanwhile.
stage(
  t,
  'REGRESSION: recv: what came while the process stood still is in time',
  async (t, stage) => {
    const channel = open(stage)
    const message = channel.recv({ timeout: 10 })
    const now = stage.clock.now.bind(stage.clock)
    // The clock of a test rings on time: this one rings 100 ms late.
    stage.clock.now = () => now() + 100
    stage.clock.advance(10)
    channel.emit(data('here'))
    t.equal(String((await message).data), 'here')
    stage.clock.advance(20)
  },
)

// With an invalid type the timer of the timeout was left behind, and failed later.
stage(t, 'recv: invalid options', async (t, stage) => {
  const channel = open(stage)
  for (const options of [
    { type: 'date', timeout: 10 },
    { timeout: 0 },
    { timeout: NaN },
    { timeout: '5' },
    { timout: 10 },
    null,
    5,
  ]) {
    await t.rejects(channel.recv(options as never), { code: 'ERR_INVALID_ARGUMENT' })
  }
  t.equal(stage.clock.pending, 0)
  t.equal(channel.emit('x'), undefined, 'no callback is left')
})

// Two calls at once got the same message, so with several consumers each was handled twice.
stage(t, 'recv: several at once get one message each', async (t, stage) => {
  const channel = open(stage)
  const all = [
    channel.recv(),
    channel.recv({ type: 'control' }),
    channel.recv({ type: ['data', 'control'] }),
    channel.recv({ type: 'all' }),
  ]
  const same = data('a')
  channel.emit(same)
  channel.emit(same)
  channel.emit(new Message({ type: 'control', msgid: 1 }))
  channel.emit(new Message({ type: 'control', msgid: 2 }))
  t.strictSame(
    (await Promise.all(all)).map(({ type, msgid }) => `${type} ${msgid}`),
    ['data 0', 'control 1', 'data 0', 'control 2'],
  )
  t.equal(channel.emit('x'), undefined, 'no callback is left')
  const one = channel.recv({ type: 'control' })
  const two = channel.recv()
  channel.emit('a')
  t.equal(channel.emit('b'), undefined, 'nobody waits for data any more')
  await two
  channel.close()
  await t.rejects(one, { code: 'ERR_CLOSED' })
})

// The first promise never settled, also when the channel ended.
stage(t, 'for await: next() twice', async (t, stage) => {
  const channel = open(stage)
  const iterator = channel[Symbol.asyncIterator]()
  const two = [iterator.next(), iterator.next()]
  t.equal(channel.emit('a'), undefined, 'another one is wanted already')
  t.ok(channel.emit('b'))
  t.strictSame(
    (await Promise.all(two)).map(({ value }) => String(value.data)),
    ['a', 'b'],
  )
  const more = [iterator.next(), iterator.next()]
  channel.close()
  t.strictSame(
    (await Promise.all(more)).map(({ done }) => done),
    [true, true],
  )
})

// It ended at once, without a message and without an error.
// recv() rejected where the loop waited, and the loop waited for ever if the channel was destroyed.
stage(t, 'begun before the channel is opened: recv, and the end', async (t, { context }) => {
  context.register(channelClass('x', {}))
  const channel = context.init('x://')
  const first = channel.recv()
  channel.open().emit(data('a'))
  t.equal(String((await first).data), 'a')
  const never = context.init('x://')
  const [recv, next] = [never.recv(), never[Symbol.asyncIterator]().next()]
  never.destroy()
  await t.rejects(recv, { code: 'ERR_CLOSED' })
  t.equal((await next).done, true)
  await t.rejects(never.recv(), { code: 'ERR_CLOSED' })
  t.equal((await never[Symbol.asyncIterator]().next()).done, true)
})

stage(t, 'for await: begun before the channel is opened', async (t, stage) => {
  stage.context.register(channelClass('y', {}))
  const channel = stage.context.init('y://')
  const next = channel[Symbol.asyncIterator]().next()
  channel.open()
  channel.emit('a')
  t.equal(String((await next).value.data), 'a')
  channel.close()
  t.match(await channel[Symbol.asyncIterator]().next(), { done: true })
})

stage(t, 'for await: in order, one at a time, until it closes', async (t, stage) => {
  const channel = open(stage)
  const texts: string[] = []
  const loop = (async () => {
    for await (const message of channel) texts.push(String(message.data))
    return 'ended'
  })()
  const waits = ['a', 'b', 'c'].map(text => channel.emit(data(text)) as Promise<void>)
  await Promise.all(waits)
  t.strictSame(texts, ['a', 'b', 'c'])
  channel.close()
  t.equal(await loop, 'ended')
  for await (const message of channel[Symbol.asyncIterator]()) t.fail(String(message))
})

stage(t, 'for await: leaving it does not close the channel', async (t, stage) => {
  const channel = open(stage)
  const loop = (async () => {
    for await (const message of channel) return String(message.data)
    return 'nothing'
  })()
  const waits = [channel.emit(data('a')), channel.emit(data('b'))]
  t.equal(await loop, 'a')
  await Promise.all(waits)
  t.equal(channel.state, 'active')
  t.equal(channel.emit(data('c')), undefined, 'no callback is left')
})

stage(t, 'for await: it throws when the channel fails', async (t, stage) => {
  const channel = open(stage)
  channel.on_error = () => {}
  const waiting = channel[Symbol.asyncIterator]()
  const next = waiting.next()
  const behind = channel[Symbol.asyncIterator]()
  channel.emit(data('a'))
  t.match(await next, { done: false })
  const more = waiting.next()
  channel.fail(new Error('x'))
  await t.rejects(more, { message: 'x' })
  t.match(
    await behind.next(),
    { value: { type: 'data' } },
    'messages from before the failure come first',
  )
  await t.rejects(behind.next(), { message: 'x' })
  await t.rejects(channel[Symbol.asyncIterator]().next(), { message: 'x' })
})

stage(t, 'for await: a bounded queue for channels that cannot wait', async (t, stage) => {
  const channel = open(stage)
  const iterator = channel[Symbol.asyncIterator]()
  for (let count = 0; count < 16_385; count++) channel.emit(data('x'))
  for (let count = 0; count < 16_385; count++) await iterator.next()
  await t.rejects(iterator.next(), { code: 'ERR_OVERFLOW', buffer: 'receive' })
  t.match(await iterator.return?.(), { done: true })
})
