import t from 'tap'
import { RateLimit } from '../../../src/messages/prefixes/rate-limit.ts'
import { scene } from '../../kit.ts'
import { fault, params } from '../kit.ts'

scene(t, 'one bucket, in bytes', async (t, { engine, clock }) => {
  const limit = new RateLimit(params('rate+x://;speed=1000b;max-window=16b;watermark=4b'), engine)
  const log: string[] = []
  const member = (name: string) => ({
    limited: (isUsedUp: boolean) => void log.push(`${name} ${isUsedUp}`),
  })
  const [one, two, three] = [member('one'), member('two'), member('three')]
  limit.join(one)
  limit.join(two)
  t.equal(limit.has(), true, 'half of the window at first')
  limit.take(10)
  t.equal(limit.has(), false)
  limit.take(10, -1)
  t.equal(limit.has(), true, 'given back')
  limit.take(10)
  limit.tellIfUsedUp()
  limit.tellIfUsedUp()
  t.strictSame(log.splice(0), ['one true', 'two true'], 'once, to all')
  limit.join(three)
  t.strictSame(log.splice(0), ['three true'], 'also to one that joins')
  limit.leave(one)
  clock.advance(5)
  t.strictSame([log, limit.isUsedUp, limit.has()], [[], true, false], 'not before the watermark')
  clock.advance(1)
  t.strictSame(log.splice(0), ['two false', 'three false'])
  limit.take(100)
  limit.tellIfUsedUp()
  log.length = 0
  limit.start()
  t.strictSame(
    [limit.has(), log.splice(0)],
    [true, ['two false', 'three false']],
    'it starts again',
  )
  limit.take(10)
  limit.tellIfUsedUp()
  limit.leave(two)
  limit.leave(three)
  t.equal(clock.pending, 0, 'without members there is no timer')
  log.length = 0
  clock.advance(3)
  limit.join(one)
  t.strictSame(log.splice(0), ['one true'], 'it joins before its time')
  limit.take(2)
  clock.advance(3)
  t.strictSame(log, [], 'something was taken meanwhile')
  clock.advance(2)
  t.strictSame(log.splice(0), ['one false'])
  limit.take(100)
  limit.tellIfUsedUp()
  limit.leave(one)
  clock.advance(1000)
  log.length = 0
  limit.join(two)
  t.strictSame([log.splice(0), limit.has()], [['two false'], true], 'its time has passed')
})

scene(
  t,
  'several buckets: all of them apply; the slowest decides',
  async (t, { engine, clock }) => {
    const limit = new RateLimit(
      params(
        'rate+x://;speed=1000b;bucket.a.speed=10;bucket.a.unit=message;' +
          'bucket.a.initial=1;rate.bucket.b.speed=1b',
      ),
      engine,
    )
    limit.join({ limited() {} })
    limit.take(5)
    limit.tellIfUsedUp()
    clock.advance(99)
    t.equal(limit.has(), false)
    clock.advance(1)
    t.equal(limit.has(), true)
  },
)

// The default of the original is 16 384 messages, and it writes them as sizes.
scene(t, 'amounts and times', async (t, { engine, clock }) => {
  const passes = (parameters: string): number => {
    const limit = new RateLimit(params(`rate+x://;${parameters}`), engine)
    let count = 0
    for (; limit.has(); count++) limit.take(1)
    return count
  }
  t.equal(passes('unit=message;speed=100b'), 8192)
  t.equal(passes('unit=message;speed=1;max-window=2;initial=2b'), 2)
  t.equal(passes('unit=message;speed=1kb;max-window=1kb'), 512)
  t.equal(passes('speed=1.5kb;max-window=16b'), 8)
  t.equal(passes('speed=1b;max-window=16b;initial=1mb'), 16, 'at most the window')
  t.equal(passes('speed=1b;initial=0b'), 0)
  const slow = new RateLimit(params('rate+x://;speed=0.5b;interval=0.5s;initial=0b'), engine)
  slow.join({ limited() {} })
  clock.advance(999)
  t.equal(slow.has(), false)
  clock.advance(1)
  t.equal(slow.has(), true)
})

t.test('parameters', async t => {
  for (const [parameters, message] of [
    ['', 'speed must be given'],
    ['speed=0b', 'speed must be more than 0'],
    ['speed=1', 'speed must be a size: a number and b, kb'],
    ['speed=1b;interval=0s', 'interval must be longer than 0'],
    ['speed=1b;interval=1', 'interval must be a duration: a number and ns'],
    ['speed=1b;max-window=0b', 'max-window must be at least 1'],
    ['speed=1b;max-window=10b;watermark=11b', 'watermark must be at most max-window, 10'],
    ['speed=1x;unit=message', 'speed must be a number of messages: 100, 100b or 1kb'],
    ['speed=1b;bucket.x.unit=byte', 'bucket.x.speed must be given'],
  ])
    t.match(
      fault(() => new RateLimit(params(`rate+x://;${parameters}`), undefined as never)),
      message as string,
    )
})
