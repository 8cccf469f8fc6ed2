import t from 'tap'
import { bitOf, type Callback, Callbacks, covers } from '../../src/messages/callbacks.ts'
import { Message } from '../../src/messages/message.ts'
import { thrown } from '../kit.ts'

const DATA = new Message({ data: 'x' })
const CONTROL = new Message({ type: 'control' })
const STATE = new Message({ type: 'state' })
const CHANNEL = new Message({ type: 'channel' })
const EVERY = [DATA, CONTROL, STATE, CHANNEL]

function tell(callbacks: Callbacks, ...messages: Message[]): unknown[] {
  const results: unknown[] = []
  // As outlet.ts does.
  for (const message of messages) {
    const bit = bitOf(message.type)
    for (const slot of callbacks.slots) {
      if ((slot.mask & bit) === 0) continue
      try {
        const result = slot.callback(message)
        if (result !== undefined) results.push(result)
      } catch (error) {
        results.push(`threw ${error}`)
      }
    }
  }
  return results
}

t.test('the only callback for data may take texts', async t => {
  const callbacks = new Callbacks()
  const onText = (): void => {}
  const [one, other] = [(): void => {}, (): void => {}]
  t.equal(callbacks.onText, undefined)
  callbacks.add(one, ['data', 'control'], onText)
  t.equal(callbacks.onText, onText)
  callbacks.add(other, 'control')
  t.equal(callbacks.onText, onText, 'that one does not ask for data')
  callbacks.add(other, 'data')
  t.equal(callbacks.onText, undefined)
  callbacks.delete(other, 'data')
  t.equal(callbacks.onText, onText)
  callbacks.delete(one, 'data')
  t.equal(callbacks.onText, undefined)
})

t.test('masks', async t => {
  const callbacks = new Callbacks()
  const callback: Callback = ({ type }) => type
  t.strictSame(tell(callbacks, ...EVERY), [], 'nobody')
  callbacks.add(callback, 'all')
  t.strictSame(tell(callbacks, ...EVERY), ['data', 'control', 'state'], 'all but channel')
  t.equal(callbacks.has('channel'), false)
  callbacks.add(callback, 'channel')
  t.strictSame(
    tell(callbacks, ...EVERY),
    ['data', 'control', 'state', 'channel'],
    'added twice, called once, for both',
  )
  callbacks.delete(callback, ['data', 'state'])
  t.strictSame(tell(callbacks, ...EVERY), ['control', 'channel'])
  t.strictSame([callbacks.has('data'), callbacks.has('channel')], [false, true])
  callbacks.delete(callback, ['control', 'channel'])
  t.equal(
    thrown(() => callbacks.delete(callback, 'data')),
    'ERR_INVALID_STATE',
    'it is gone',
  )
  t.equal(
    thrown(() => callbacks.add(callback, 'date' as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => callbacks.add(5 as never, 'data')),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('order; a callback does not disturb the others', async t => {
  const callbacks = new Callbacks()
  const third: Callback = () => 3
  callbacks.add(() => {}, 'data')
  callbacks.add(() => {
    throw 'up'
  }, 'data')
  const second: Callback = () => {
    callbacks.delete(second, 'data')
    callbacks.delete(third, 'data')
    callbacks.add(() => 5, 'data')
    return 2
  }
  callbacks.add(second, 'data')
  callbacks.add(third, 'data')
  callbacks.add(() => 4, 'data')
  t.strictSame(
    tell(callbacks, DATA),
    ['threw up', 2, 4],
    'deleted ones are not called; new ones are called the next time',
  )
  t.strictSame(tell(callbacks, DATA), ['threw up', 4, 5])
})

t.test('which types a mask covers', async t => {
  t.strictSame(
    [covers('all', 'state'), covers('all', 'channel'), covers(['data', 'control'], 'control')],
    [true, false, true],
  )
})
