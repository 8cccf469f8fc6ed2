/** What a program sees of a subscription. */

import t from 'tap'
import { Delivery } from '../../../src/protocols/nats/delivery.ts'
import { NatsSubscription } from '../../../src/protocols/nats/subscription.ts'
import { thrown } from '../../kit.ts'
import { message } from './kit.ts'

function make(handler?: () => void): { one: NatsSubscription; inner: Delivery } {
  const owner = {
    values: { pending_size: 256 + 20 },
    opening: 1,
    slow: () => {},
    handlerFailed: () => {},
    unsubscribe: () => {},
    forget: () => {},
    drained: () => Promise.resolve(),
  }
  const inner = new Delivery(owner, 1, 'Ã¤', 'g', handler)
  return { one: new NatsSubscription('ä', 'g', inner), inner }
}

t.test('its numbers', async t => {
  const { one, inner } = make()
  inner.deliver(message('a', '1'))
  inner.deliver(message('a', '2'))
  t.same([one.subject, one.group], ['ä', 'g'])
  t.same([one.received, one.dropped, one.waiting, one.error], [2, 1, 1, undefined])
})

t.test('a loop; leaving it ends the subscription', async t => {
  const { one, inner } = make()
  inner.deliver(message('a', '1'))
  for await (const { text } of one) {
    t.equal(text, '1')
    t.equal(
      thrown(() => one[Symbol.asyncIterator]()),
      'ERR_INVALID_STATE',
      'there is one already',
    )
    break
  }
  await one.closed
  t.equal(inner.isOpen, false)
  for await (const _ of one) t.fail('it has ended')
})

t.test('with a handler there is no loop', async t => {
  t.equal(
    thrown(() => make(() => {}).one[Symbol.asyncIterator]()),
    'ERR_INVALID_STATE',
  )
})

t.test('ending it', async t => {
  const { one, inner } = make()
  for (const max of [0, -1, 1.5, NaN, '1', null])
    t.equal(
      thrown(() => one.unsubscribe(max as number)),
      'ERR_INVALID_ARGUMENT',
    )
  one.unsubscribe(3)
  t.equal(inner.left, 3)
  await one.drain()
  one.unsubscribe()
  inner.stop(new Error('late'))
  one.unsubscribe(Infinity)
  t.equal(inner.isOpen, false)
})
