import t from 'tap'
import { FailedError } from '../../../src/envelope/consumers/failed-error.ts'
import { Message } from '../../../src/envelope/message.ts'

t.test('a FailedError has the answer', async t => {
  const answer = new Message()
  t.strictSame(
    [new FailedError('no', answer).code, new FailedError('no', answer).answer],
    ['ERR_FAILED', answer],
  )
})
