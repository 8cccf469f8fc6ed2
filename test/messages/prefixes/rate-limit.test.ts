import t from 'tap'
import { RateLimit } from '../../../src/messages/prefixes/rate-limit.ts'
import { fault, params } from '../kit.ts'

t.test('one bucket, in bytes', async t => {
  const limit = new RateLimit(params('rate+x://;speed=1000b;max-window=16b;watermark=4b'), 0)
  t.equal(limit.has(0), true, 'half of the window at first')
  limit.take(10)
  t.strictSame([limit.has(2), limit.wait(), limit.has(3)], [false, 4, true])
  limit.take(100)
  limit.start(3)
  t.equal(limit.has(3), true, 'it starts again')
})

t.test('several buckets: all of them apply; the slowest decides how long to wait', async t => {
  const limit = new RateLimit(
    params(
      'rate+x://;speed=1000b;bucket.a.speed=10;bucket.a.unit=message;' +
        'bucket.a.initial=1;rate.bucket.b.speed=1b',
    ),
    0,
  )
  limit.take(5)
  t.strictSame([limit.has(0), limit.wait()], [false, 100])
  t.equal(limit.has(100), true)
})

t.test('parameters', async t => {
  for (const [parameters, message] of [
    ['', 'speed must be given'],
    ['speed=0b', 'speed must be more than 0'],
    ['speed=1b;interval=0s', 'interval must be longer than 0'],
    ['speed=1b;max-window=10b;watermark=11b', 'watermark must be at most max-window, 10'],
    ['speed=1b;unit=message', 'speed must be a whole number'],
    ['speed=1b;bucket.x.unit=byte', 'bucket.x.speed must be given'],
  ])
    t.match(
      fault(() => new RateLimit(params(`rate+x://;${parameters}`), 0)),
      message as string,
    )
})
