import t from 'tap'
import { Signal } from '../../../src/envelope/signals/signal.ts'
import { fate, thrown, turn } from '../../kit.ts'

type Numbers = { readonly n: number }

t.test('receivers are called one after the other, in the order of connecting', async t => {
  const log: string[] = []
  const signal = new Signal<Numbers>('made', [({ n }) => `first ${n}`])
  signal.connect(async ({ n }) => {
    await turn()
    log.push('slow')
    return n + 1
  })
  signal.connect(({ sender }) => void log.push(`after ${sender}`))
  const results = await signal.send('me', { n: 1 })
  t.strictSame(
    results.map(([, response]) => response),
    ['first 1', 2, undefined],
  )
  t.strictSame(log, ['slow', 'after me'])
  const told = signal.notify('me', { n: 1 })
  t.strictSame(log.length, 2, 'the third waits for the second')
  await told
  t.equal(log.length, 4)
})

t.test('by sender', async t => {
  const signal = new Signal<Numbers>()
  const all = () => 'all'
  signal.connect(() => 'a', { sender: 'a' })
  signal.connect(all)
  signal.connect(all)
  const responses = async (sender: unknown) =>
    (await signal.send(sender, { n: 1 })).map(([, response]) => response)
  t.strictSame(await responses('a'), ['a', 'all'])
  t.strictSame(await responses('b'), ['all'])
  t.strictSame([signal.has_listeners('a'), signal.has_listeners()], [true, true])
  t.equal(signal.disconnect(all), true)
  t.equal(signal.disconnect(all), false)
  t.strictSame([signal.has_listeners('b'), signal.has_listeners()], [false, false])
  for (let sender = 0; sender < 2000; sender++) signal.has_listeners(sender)
  t.strictSame(await responses('a'), ['a'])
  t.equal(new Signal().notify('a', {}), undefined)
})

t.test('receivers from the beginning, for senders that are wanted', async t => {
  const got: unknown[] = []
  const signal = new Signal('wants', [({ sender }) => void got.push(sender)], each => each !== 'b')
  for (const sender of ['a', 'b', 'c', 'b']) signal.notify(sender, {})
  t.strictSame(got, ['a', 'c'])
  t.strictSame([signal.has_listeners('a'), signal.has_listeners('b')], [true, false])
})

t.test('dispatch_uid', async t => {
  const signal = new Signal<Numbers>()
  signal.connect(() => 1, { dispatch_uid: 'one' })
  signal.connect(() => 2, { dispatch_uid: 'one' })
  t.strictSame(
    (await signal.send(0, { n: 1 })).map(([, response]) => response),
    [1],
  )
  t.equal(signal.disconnect(undefined, { dispatch_uid: 'one' }), true)
  t.equal(signal.disconnect(undefined), false)
})

t.test('a weak receiver', async t => {
  const signal = new Signal<Numbers>()
  const receiver = () => 'weak'
  signal.connect(receiver, { weak: true })
  signal.connect(receiver, { weak: true })
  t.strictSame((await signal.send(0, { n: 1 })).length, 1, 'connected once')
  t.equal(signal.disconnect(receiver), true)
  const { WeakRef: Original } = globalThis
  globalThis.WeakRef = class {
    deref() {}
  } as never
  signal.connect(receiver, { weak: true })
  globalThis.WeakRef = Original
  t.strictSame([await signal.send(0, { n: 1 }), await signal.send_robust(0, { n: 1 })], [[], []])
  t.equal(signal.notify(0, { n: 1 }), undefined)
  t.equal(signal.has_listeners(0), false, 'it has gone')
})

t.test('errors', async t => {
  const signal = new Signal<Numbers>()
  const error = new Error('a')
  let count = 0
  signal.connect(() => {
    throw error
  })
  signal.connect(async () => ++count)
  signal.connect(() => ++count)
  t.equal(await fate(signal.send(0, { n: 1 })), 'rejected a')
  t.equal(
    thrown(() => signal.notify(0, { n: 1 })),
    'a',
  )
  t.equal(count, 0)
  const robust = await signal.send_robust(0, { n: 1 })
  t.strictSame(
    robust.map(([, response]) => response),
    [error, 1, 2],
  )
  t.equal(
    thrown(() => signal.connect(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => signal.connect(() => {}, { sendr: 1 } as never)),
    'ERR_INVALID_ARGUMENT',
  )
  // These threw TypeErrors without a code, or ignored an option that was misspelt.
  for (const call of [
    () => signal.disconnect(() => {}, { sendr: 1 } as never),
    () => signal.notify(0, undefined as never),
    () => new Signal('a', 5 as never),
  ])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
  t.equal(
    signal.disconnect(() => {}, null as never),
    false,
  )
})
