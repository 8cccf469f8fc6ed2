import t from 'tap'
import { closedError, firstSeq, RelayError } from '../../src/relay/relay.ts'

t.test('the first seq is ahead of all earlier ones, and exact', async t => {
  const seq = firstSeq()
  t.ok(Number.isSafeInteger(seq + 1e12))
  t.ok(seq >= Date.now() * 1000 - 1_000_000)
  t.ok(closedError() instanceof RelayError)
})
