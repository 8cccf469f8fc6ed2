/** One timer of the clock for everything that is due. */

import t from 'tap'
import { Alarm } from '../../../src/core/time/alarm.ts'
import { Timers } from '../../../src/core/time/timers.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'

/** One before which the process can stand still. */
class JumpingClock extends ManualClock {
  skipped = 0
  override now() {
    return super.now() + this.skipped
  }
}

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

t.test('what is late runs after the next poll of the loop, once', async t => {
  const clock = new JumpingClock()
  const log: string[] = []
  const judge = {
    next: 50 as number | undefined,
    isLate: (now: number) => now > 60,
    run(now: number) {
      log.push(`judged at ${now}`)
      this.next = undefined
    },
  }
  const timers = new Timers()
  const alarm = new Alarm(clock, timers, judge)
  // A timer of the program that computes: what comes after it in the same ring is late, too.
  alarm.setFor(
    timers.add(50, 0, () => {
      clock.skipped = 1000
      log.push('computed')
      clock.soon(() => log.push('read'))
    }),
  )
  clock.advance(100)
  t.same(log, ['computed', 'read', 'judged at 1070'])
  t.equal(clock.pending, 0)
  judge.next = 55
  alarm.set()
  clock.advance(20)
  t.equal(log.at(-1), 'judged at 1120', 'always late, and judged all the same')
})

// A hook computed while it rested: peers that had sent all the while were closed.
t.test('what stands still while it rests, rests again, ten times at most', async t => {
  const clock = new JumpingClock()
  let runs = 0
  const judge = {
    next: 0 as number | undefined,
    isLate: () => true,
    run() {
      runs++
      this.next = undefined
    },
  }
  new Alarm(clock, judge).set()
  clock.advance(0)
  for (let rests = 1; rests <= 10; rests++) {
    clock.advance(5)
    clock.skipped += 100
    clock.advance(5)
  }
  clock.advance(5)
  t.equal(runs, 0, 'it judges at the end of a rest all the same')
  clock.advance(5)
  t.equal(runs, 1)
})

t.test('if nothing is due any more, nothing is left behind', async t => {
  for (const isResting of [false, true]) {
    const clock = new ManualClock()
    const judge = { next: 0 as number | undefined, isLate: () => true, run: () => void t.fail() }
    const alarm = new Alarm(clock, judge)
    alarm.set()
    const removed = (): void => {
      judge.next = undefined
      alarm.set()
    }
    if (isResting) clock.after(0, () => clock.soon(() => clock.soon(removed)))
    else clock.after(0, removed)
    clock.advance(0)
    t.equal(clock.pending, 0)
  }
})

t.test('no timer is set for what waits for the poll', async t => {
  const soon: (() => void)[] = []
  const after: (() => void)[] = []
  const clock = {
    now: () => 1000,
    after: (_delay: number, callback: () => void) => (after.push(callback), () => {}),
    soon: (callback: () => void) => void soon.push(callback),
  }
  const judge = {
    next: 50 as number | undefined,
    runs: 0,
    isLate: () => true,
    run(): void {
      this.runs++
      this.next = undefined
    },
  }
  const timers = new Timers()
  const alarm = new Alarm(clock, timers, judge)
  alarm.set()
  after.shift()!()
  t.same([judge.runs, after.length, soon.length], [0, 0, 1])
  // Another thing rings before the poll.
  alarm.setFor(timers.add(900, 0, () => {}))
  after.shift()!()
  t.same([judge.runs, after.length, soon.length], [0, 0, 1])
  // The bug: one step. On Deno its timer may be due before the loop has polled.
  for (let step = 1; step <= 4; step++) {
    soon.shift()!()
    t.same([judge.runs, after.length], [0, 1], 'Bun polls after that, and before timers')
    after.shift()!()
  }
  t.same([judge.runs, after.length, soon.length], [1, 0, 0])
})
