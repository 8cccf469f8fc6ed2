import t from 'tap'
import { noop } from '../../../src/core/noop.ts'
import { TextOutbox } from '../../../src/envelope/consumers/text-outbox.ts'
import { thrown } from '../../kit.ts'

t.test('what has no room waits, in its order, up to a bound', async t => {
  const sent: string[] = []
  let isFull = false
  const post = (text: string): boolean => !isFull && sent.push(text) > 0
  const outbox = new TextOutbox({ post, close: noop, canWait: true }, { queue_limit: 2 })
  outbox.send('a')
  isFull = true
  outbox.send('b')
  outbox.send('c')
  t.equal(
    thrown(() => outbox.send('d')),
    'ERR_OVERFLOW',
  )
  outbox.flush()
  isFull = false
  t.strictSame(sent, ['a'])
  outbox.flush()
  outbox.send('e')
  t.strictSame(sent, ['a', 'b', 'c', 'e'])
})
