import t from 'tap'
import { closedError, firstSeq, isRefused, RelayError } from '../../src/relay/relay.ts'

t.test('the first seq is ahead of all earlier ones, and exact', async t => {
  const seq = firstSeq()
  t.ok(Number.isSafeInteger(seq + 1e12))
  t.ok(seq >= Date.now() * 1000 - 1_000_000)
  t.ok(closedError() instanceof RelayError)
})

t.test('why it is closed, and what the server refused', async t => {
  const cause = new RelayError('ERR_RELAY_REFUSED', 'wrong password')
  const { code, message, cause: why } = closedError(cause)
  t.same([code, message, why], ['ERR_RELAY_CLOSED', 'the relay is closed: wrong password', cause])
  t.same([isRefused(cause), isRefused(closedError()), isRefused('no')], [true, false, false])
})
