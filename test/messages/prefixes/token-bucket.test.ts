import t from 'tap'
import { TokenBucket } from '../../../src/messages/prefixes/token-bucket.ts'

t.test('tokens come with time, up to the window', async t => {
  // 10 tokens per ms, at most 100, 50 at first.
  const bucket = new TokenBucket(10, 100, 50, 1000)
  t.equal(bucket.has(1, 1000), true)
  bucket.take(80)
  t.equal(bucket.has(1, 1000), false, 'more than there was: a debt')
  t.equal(bucket.wait(1), 3.1)
  t.equal(bucket.has(1, 1003), false)
  t.equal(bucket.has(1, 1003.05), false, 'half a token is none')
  t.equal(bucket.has(1, 1004), true)
  t.equal(bucket.wait(1), 0)
  t.equal(bucket.has(100, 9000), true)
  bucket.take(100)
  t.equal(bucket.has(1, 9000), false, 'the window is all')
  bucket.take(-5)
  t.strictSame([bucket.has(5, 9000), bucket.has(6, 9000)], [true, false], 'given back')
})
