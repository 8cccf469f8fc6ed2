import t from 'tap'
import { Backoff } from '../../src/core/backoff.ts'
import { seeded } from './oracle.ts'

t.test('the bound doubles up to the longest; the wait is a part of it', async t => {
  const full = new Backoff({ first: 10, longest: 100, random: () => 1 })
  t.strictSame(
    Array.from({ length: 6 }, () => full.next(0)),
    [10, 20, 40, 80, 100, 100],
  )
  t.equal(full.attempts, 6)
  const half = new Backoff({ first: 10, longest: 100, random: () => 0.5 })
  t.strictSame(
    Array.from({ length: 6 }, () => half.next(0)),
    [5, 10, 20, 40, 50, 50],
    'the random part comes after the bound',
  )
  t.equal(new Backoff({ random: () => 0 }).next(0), 1, 'never 0')
  const long = new Backoff({ random: () => 1 })
  for (let i = 0; i < 5000; i++) long.next(0)
  t.equal(long.next(0), 30_000, 'the number of attempts has no bound')
  const wait = new Backoff().next(0)
  t.ok(wait >= 1 && wait <= 1000, 'the defaults')
})

t.test('only a connection that lasted makes the waits short again', async t => {
  const backoff = new Backoff({ first: 10, longest: 100, lasting: 1000, random: () => 1 })
  backoff.next(0)
  backoff.next(10)
  backoff.opened(30)
  t.equal(backoff.next(1029), 40, 'a millisecond too short')
  t.equal(backoff.attempts, 3)
  t.equal(backoff.next(5000), 80, 'an attempt that failed is no connection that stood long')
  backoff.opened(6000)
  t.equal(backoff.next(7000), 10)
  t.equal(backoff.next(7010), 20)
  backoff.opened(8000)
  backoff.reset()
  t.equal(backoff.next(9000), 10, 'the program connects again by itself')
  t.equal(backoff.next(10_000), 20)
})

// A bound that is applied after the random part gives waits of exactly the bound: from the fifth
// attempt on there was no spread at all (socket.io-client 4.8.4).
t.test('4000 clients whose server has died do not come at the same moment', async t => {
  const random = seeded(5)
  const perSecond = new Map<number, number>()
  const end = 10 * 60
  for (let client = 0; client < 4000; client++) {
    const backoff = new Backoff({ random: () => random(1000) / 999 })
    for (let now = backoff.next(0); now < end * 1000; now += backoff.next(now)) {
      const second = Math.floor(now / 1000)
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    }
  }
  // After two minutes all waits are at their bound.
  const counts = [...perSecond].filter(([second]) => second >= 120).map(([, count]) => count)
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  t.equal(counts.length, end - 120)
  t.ok(Math.max(...counts) < 2 * mean, `at most ${Math.max(...counts)}, ${mean} on average`)
  t.ok(perSecond.get(0)! < 1.5 * 4000, 'nor in the first second')
})
