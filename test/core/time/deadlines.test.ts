/** Deadlines: when each is looked at, and how few moments that takes. */

import t from 'tap'
import { type Deadline, Deadlines } from '../../../src/core/time/deadlines.ts'

/** Records when it is looked at. `again` is the time until the next look. */
class Probe implements Deadline {
  bucket: Deadline['bucket']
  readonly looks: number[] = []
  again: number
  onLook: (now: number) => void = () => {}

  constructor(again = Infinity) {
    this.again = again
  }

  look(now: number): number {
    this.looks.push(now)
    this.onLook(now)
    return now + this.again
  }
}

/** Lets time pass, as an engine does. Returns how often something was due. */
function pass(deadlines: Deadlines, until: number): number {
  let runs = 0
  for (let next = deadlines.next; next !== undefined && next <= until; next = deadlines.next) {
    deadlines.run(next)
    runs++
  }
  return runs
}

t.test('never early, and not much late', async t => {
  for (const wait of [0.3, 1, 7, 50, 999, 1000, 30_000, 60_000, 86_400_000]) {
    for (const now of [0, 0.7, 12_345.678]) {
      const deadlines = new Deadlines()
      const probe = new Probe()
      deadlines.put(probe, now + wait, now)
      pass(deadlines, Infinity)
      const [late] = probe.looks.map(at => at - now - wait)
      t.ok(
        late! >= 0 && late! <= Math.max(Math.min(wait / 8, 1024), 1 / 8),
        `${wait} ms from ${now}: ${late} late`,
      )
      t.same(
        { looks: probe.looks.length, size: deadlines.size, bucket: probe.bucket },
        { looks: 1, size: 0, bucket: undefined },
      )
    }
  }
})

t.test('deadlines of one moment share one timer', async t => {
  const deadlines = new Deadlines()
  const probes = Array.from({ length: 1000 }, () => new Probe())
  for (const [n, probe] of probes.entries()) deadlines.put(probe, 60_000 + n / 10, n / 10)
  t.equal(deadlines.size, 1)
  t.equal(pass(deadlines, Infinity), 1)
  t.ok(probes.every(probe => probe.looks.length === 1))
})

t.test('looked at again and again, moved, and removed', async t => {
  const deadlines = new Deadlines()
  const probe = new Probe(100)
  deadlines.put(probe, 100, 0)
  pass(deadlines, 1000)
  t.ok(probe.looks.length >= 8 && probe.looks.length <= 10)
  deadlines.put(probe, 5000, 1000)
  t.equal(deadlines.size, 1, 'it waits for one moment only')
  deadlines.put(probe, Infinity, 1000)
  t.same([deadlines.size, deadlines.next], [0, undefined])
  deadlines.remove(probe)
})

t.test('a look may move and remove others of its moment', async t => {
  const deadlines = new Deadlines()
  const [first, second, third, late] = [new Probe(), new Probe(), new Probe(), new Probe()]
  for (const probe of [first, second, third]) deadlines.put(probe, 64, 0)
  first.onLook = now => {
    deadlines.remove(second)
    deadlines.put(third, now + 1000, now)
    deadlines.put(late, now, now)
  }
  t.equal(pass(deadlines, 500), 2)
  t.same(
    {
      first: first.looks.length,
      second: second.looks.length,
      third: third.looks.length,
      late: late.looks.length,
    },
    { first: 1, second: 0, third: 0, late: 1 },
  )
  pass(deadlines, Infinity)
  t.equal(third.looks.length, 1)
  // It leaves the moment that is being looked at, and was the last one in it.
  const [one, other] = [new Probe(), new Probe()]
  for (const probe of [one, other]) deadlines.put(probe, 4000, 2000)
  one.onLook = () => deadlines.remove(other)
  pass(deadlines, Infinity)
  t.same([other.looks, deadlines.size], [[], 0])
})

t.test('add: called back at an exact moment', async t => {
  const deadlines = new Deadlines()
  const log: number[] = []
  deadlines.add(30_000, 0, () => log.push(1))
  deadlines.add(30_001, 0, () => log.push(2))()
  t.equal(deadlines.next, 30_000)
  pass(deadlines, Infinity)
  t.same(log, [1])
})

t.test('20 000 with the same timeout', async t => {
  const deadlines = new Deadlines()
  const probes = Array.from({ length: 20_000 }, () => new Probe(7500))
  for (const [n, probe] of probes.entries()) deadlines.put(probe, n / 2 + 7500, n / 2)
  t.ok(deadlines.size <= 24, `${deadlines.size} moments for those that came in ten seconds`)
  pass(deadlines, 20_000)
  for (const probe of probes) probe.looks.length = 0
  const runs = pass(deadlines, 80_000)
  const looks = probes.reduce((sum, probe) => sum + probe.looks.length, 0)
  t.ok(runs <= 120, `${runs} wake-ups in a minute`)
  t.ok(looks <= 160_000 && looks >= 140_000, `${looks} looks in a minute, 8 each at most`)
})

/**
 * The bug: a hook computed for longer than read_timeout, among twenty peers that had sent all the
 * while. The timers ran before the loop read what they had sent, and all twenty were closed.
 */
t.test('late: by more than the bucket, or than a timer may be', async t => {
  const deadlines = new Deadlines()
  t.equal(deadlines.isLate(1000), false, 'nothing is due')
  deadlines.put(new Probe(), 8000, 0)
  t.equal(deadlines.next, 8192)
  t.same(
    [8192, 8704].map(now => deadlines.isLate(now)),
    [false, false],
    'its width is 512 ms',
  )
  t.equal(deadlines.isLate(8705), true)
  deadlines.add(5000, 0, () => {})()
  t.equal(deadlines.isLate(8192), false, 'cancelled')
  deadlines.add(5000, 0, () => {})
  t.same(
    [5000, 5002, 5003].map(now => deadlines.isLate(now)),
    [false, false, true],
  )
  const short = new Deadlines()
  short.put(new Probe(), 1, 0)
  t.same(
    [2, 3.5].map(now => short.isLate(now)),
    [false, true],
  )
})

t.test('add: an exchange gets the time that the process stood still, once', async t => {
  const deadlines = new Deadlines()
  const log: string[] = []
  deadlines.add(1000, 0, () => log.push('short'))
  deadlines.add(3000, 0, () => log.push('long'))
  const cancel = deadlines.add(1500, 0, () => log.push('cancelled'))
  deadlines.run(4000)
  t.same([log, deadlines.size], [[], 3], 'late by 3000, 2500 and 1000 ms')
  cancel()
  deadlines.run(4999)
  t.same(log, [])
  deadlines.run(5000)
  t.same(log, ['short', 'long'], 'at most its whole wait')
  deadlines.add(6000, 5000, () => log.push('again'))
  deadlines.run(6500)
  deadlines.run(9000)
  t.equal(log.at(-1), 'again', 'late again: it is not put off again')
})
