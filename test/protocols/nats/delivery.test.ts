/** From a message to the program: handlers, loops, and what waits between the two. */

import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import { type NatsHandler, Delivery } from '../../../src/protocols/nats/delivery.ts'
import type { NatsMessage } from '../../../src/protocols/nats/message.ts'
import { fate, turn } from '../../kit.ts'
import { message } from './kit.ts'

function make(
  handler?: NatsHandler,
  pending_size = 1e6,
): { one: Delivery; news: string[]; pong: () => void } {
  const news: string[] = []
  const pong = deferred<void>()
  const owner = {
    values: { pending_size },
    opening: 1,
    slow: () => news.push('slow'),
    handlerFailed: (error: unknown) => news.push(`failed ${(error as Error).message}`),
    unsubscribe: (_: unknown, max?: number) => news.push(`unsubscribe ${max ?? ''}`),
    forget: () => news.push('forget'),
    drained: () => pong.promise,
  }
  const one = new Delivery(owner, 1, 'a', '', handler)
  return { one, news, pong: () => pong.resolve() }
}

const texts = (messages: readonly NatsMessage[]): string[] => messages.map(({ text }) => text)

t.test('a handler gets each message at once; what it throws is told', async t => {
  const got: NatsMessage[] = []
  const { one, news } = make(each => {
    got.push(each)
    if (each.text === '2') throw new Error('no')
  })
  for (const text of ['1', '2', '3']) one.deliver(message('a', text))
  t.same([texts(got), news, one.received], [['1', '2', '3'], ['failed no'], 3])
})

t.test('a promise holds the next message, and its rejection is told', async t => {
  const got: string[] = []
  const steps = [deferred<void>(), deferred<void>()]
  const { one, news } = make(({ text }) => {
    got.push(text)
    return steps[Number(text)]?.promise
  })
  for (const text of ['0', '1', '2', '3']) one.deliver(message('a', text))
  t.same([got, one.waiting], [['0'], 3])
  steps[0]!.resolve()
  await turn()
  t.same([got, one.waiting], [['0', '1'], 2])
  steps[1]!.reject(new Error('bad'))
  await turn()
  t.same([got, one.waiting, news], [['0', '1', '2', '3'], 0, ['failed bad']])
})

t.test('a loop gets what waits and what comes', async t => {
  const { one, news } = make()
  one.deliver(message('a', '1'))
  one.deliver(message('a', '2'))
  t.equal((await one.next()).value!.text, '1')
  t.equal((await one.next()).value!.text, '2')
  const [third, fourth, fifth] = [one.next(), one.next(), one.next()]
  t.equal(await fate(third), 'open')
  one.deliver(message('a', '3'))
  one.deliver(message('a', '4'))
  t.same([(await third).value!.text, (await fourth).value!.text], ['3', '4'])
  one.unsubscribe()
  t.same(await fifth, { done: true, value: undefined })
  t.same(await one.next(), { done: true, value: undefined })
  t.same(news, ['unsubscribe ', 'forget'])
  await one.closed.promise
})

t.test(
  'a bound: what does not fit is dropped and told once, until the queue was empty',
  async t => {
    // Each weighs 256 and its bytes: subject, line end, data.
    const { one, news } = make(undefined, 2 * (256 + 4))
    for (const text of ['1', '2', '3', '4']) one.deliver(message('a', text))
    t.same([one.waiting, one.dropped, one.received, news], [2, 2, 4, ['slow']])
    await one.next()
    one.deliver(message('a', '5'))
    one.deliver(message('a', '6'))
    t.same([one.dropped, news], [3, ['slow']])
    await one.next()
    await one.next()
    for (const text of ['7', '8', '9']) one.deliver(message('a', text))
    t.same([one.waiting, one.dropped, news], [2, 4, ['slow', 'slow']])
  },
)

t.test('much that waits is detached from the chunks it came in', async t => {
  const { one } = make()
  const all = Array.from({ length: 400 }, (_, i) => message('a', String(i)))
  let detached = 0
  for (const each of all) {
    const { detach } = each
    each.detach = () => {
      detached++
      return detach.call(each)
    }
    one.deliver(each)
  }
  t.ok(detached > 100 && detached < 300, `${detached}`)
  const got: string[] = []
  while (one.waiting > 0) got.push((await one.next()).value!.text)
  t.same(got, texts(all))
})

t.test('a number of messages', async t => {
  const got: string[] = []
  const { one, news } = make(({ text }) => void got.push(text))
  one.unsubscribe(2)
  t.equal(one.left, 2)
  for (const text of ['1', '2', '3']) one.deliver(message('a', text))
  t.same([got, news, one.isOpen], [['1', '2'], ['unsubscribe 2', 'forget'], false])
  one.unsubscribe()
  t.same(news.length, 2)
  await one.closed.promise
  const late = make(() => {})
  late.one.deliver(message('a', '1'))
  late.one.unsubscribe(1)
  t.equal(late.one.isOpen, false, 'they have come already')
})

t.test('drain: what was sent before is delivered', async t => {
  const got: string[] = []
  const step = deferred<void>()
  const { one, news, pong } = make(({ text }) => {
    got.push(text)
    return text === '1' ? step.promise : undefined
  })
  t.same([one.isRead, make().one.isRead], [true, false])
  const drained = one.drain()
  one.deliver(message('a', '1'))
  one.deliver(message('a', '2'))
  pong()
  await turn()
  t.same([await fate(drained), got, news], ['open', ['1'], []])
  step.resolve()
  await drained
  t.same([got, news], [['1', '2'], ['forget']])
  await one.drain()
  const other = make(() => {})
  const late = other.one.drain()
  other.one.stop()
  other.pong()
  await late
})

// It waited for the handler that waited for it, for ever.
t.test('a handler may await drain', async t => {
  const got: string[] = []
  const { one, news, pong } = make(async ({ text }) => {
    got.push(text)
    if (text === '1') await one.drain()
    got.push(`${text} done`)
  })
  one.deliver(message('a', '1'))
  one.deliver(message('a', '2'))
  pong()
  await one.closed.promise
  t.same(got, ['1', '1 done', '2', '2 done'])
  t.same(news, ['forget'])
})

t.test('stop: what waits is dropped, and a loop gets the error', async t => {
  const { one } = make()
  const loop = one.next()
  one.stop(new Error('gone'))
  one.stop(new Error('again'))
  await t.rejects(loop, { message: 'gone' })
  await t.rejects(one.next(), { message: 'gone' })
  t.equal(one.error?.message, 'gone')
  const other = make(() => new Promise(() => {}))
  for (const text of ['1', '2']) other.one.deliver(message('a', text))
  other.one.stop()
  await other.one.closed.promise
  other.one.deliver(message('a', '3'))
  t.same([other.one.waiting, other.one.received, other.one.hasHandler], [0, 2, true])
})
