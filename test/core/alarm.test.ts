/** One timer of the clock for everything that is due. */

import t from 'tap'
import { Alarm } from '../../src/core/alarm.ts'
import { Timers } from '../../src/core/timers.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'

t.test('it rings for the first thing that is due', async t => {
  const clock = new ManualClock()
  const [one, other] = [new Timers(), new Timers()]
  const alarm = new Alarm(clock, one, other)
  const log: string[] = []
  alarm.set()
  t.equal(clock.pending, 0)
  alarm.setFor(one.add(100, 0, () => log.push(`one ${clock.now()}`)))
  const cancel = alarm.setFor(other.add(50, 0, () => log.push('cancelled')))
  alarm.setFor(other.add(70, 0, () => log.push(`other ${clock.now()}`)))
  t.equal(clock.pending, 1)
  cancel()
  clock.advance(60)
  t.same([log, clock.pending], [[], 1], 'it rang in vain')
  clock.advance(100)
  t.same([log, clock.pending], [['other 70', 'one 100'], 0])
  // What is overdue rings at once.
  one.add(50, 0, () => log.push('late'))
  alarm.set()
  clock.advance(0)
  t.equal(log.at(-1), 'late')
})

t.test('no timer is set if nothing is due', async t => {
  const clock = new ManualClock()
  const timers = new Timers()
  const alarm = new Alarm(clock, timers)
  alarm.setFor(timers.add(50, 0, () => {}))()
  t.equal(clock.pending, 0)
  timers.add(50, 0, () => {})
  alarm.set()
  timers.clear()
  alarm.set()
  t.equal(clock.pending, 0)
})
