import t from 'tap'
import { type Listener, Listeners } from '../../src/messages/listeners.ts'
import { Message } from '../../src/messages/message.ts'
import { thrown } from '../kit.ts'

const DATA = new Message({ data: 'x' })
const CONTROL = new Message({ type: 'control' })
const STATE = new Message({ type: 'state' })
const CHANNEL = new Message({ type: 'channel' })
const EVERY = [DATA, CONTROL, STATE, CHANNEL]

function tell(listeners: Listeners, ...messages: Message[]): unknown[] {
  const results: unknown[] = []
  for (const message of messages)
    listeners.call(
      message,
      result => results.push(result),
      error => results.push(`threw ${error}`),
    )
  return results
}

t.test('masks', async t => {
  const listeners = new Listeners()
  const listener: Listener = ({ type }) => type
  t.strictSame(tell(listeners, ...EVERY), [], 'nobody')
  listeners.add(listener, 'all')
  t.strictSame(tell(listeners, ...EVERY), ['data', 'control', 'state'], 'all but channel')
  t.equal(listeners.has('channel'), false)
  listeners.add(listener, 'channel')
  t.strictSame(
    tell(listeners, ...EVERY),
    ['data', 'control', 'state', 'channel'],
    'added twice, called once, for both',
  )
  listeners.delete(listener, ['data', 'state'])
  t.strictSame(tell(listeners, ...EVERY), ['control', 'channel'])
  t.strictSame([listeners.has('data'), listeners.has('channel')], [false, true])
  listeners.delete(listener, ['control', 'channel'])
  t.equal(
    thrown(() => listeners.delete(listener, 'data')),
    'ERR_INVALID_STATE',
    'it is gone',
  )
  t.equal(
    thrown(() => listeners.add(listener, 'date' as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => listeners.add(5 as never, 'data')),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('order; what one does does not disturb the others', async t => {
  const listeners = new Listeners()
  const third: Listener = () => 3
  listeners.add(() => {}, 'data')
  listeners.add(() => {
    throw 'up'
  }, 'data')
  const second: Listener = () => {
    listeners.delete(second, 'data')
    listeners.delete(third, 'data')
    listeners.add(() => 5, 'data')
    return 2
  }
  listeners.add(second, 'data')
  listeners.add(third, 'data')
  listeners.add(() => 4, 'data')
  t.strictSame(
    tell(listeners, DATA),
    ['threw up', 2, 4],
    'deleted ones are not called, new ones the next time',
  )
  t.strictSame(tell(listeners, DATA), ['threw up', 4, 5])
})
