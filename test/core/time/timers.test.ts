import t from 'tap'
import { Timers } from '../../../src/core/time/timers.ts'
import type { Cancel } from '../../../src/types.ts'
import { rounds, seeded } from '../oracle.ts'

t.test('in the order of their due times, then of their age', async t => {
  const timers = new Timers()
  const ran: string[] = []
  t.same([timers.size, timers.next], [0, undefined])
  for (const [name, due] of [
    ['c', 30],
    ['a', 10],
    ['b1', 20],
    ['d', 40],
    ['b2', 20],
  ] as const)
    timers.add(due, 0, () => ran.push(name))
  t.same([timers.size, timers.next], [5, 10])
  timers.run(9)
  t.same(ran, [])
  timers.run(10)
  t.same([ran, timers.next], [['a'], 20])
  timers.run(35)
  t.same(
    { ran, size: timers.size, next: timers.next },
    { ran: ['a', 'b1', 'b2', 'c'], size: 1, next: 40 },
  )
  timers.run(1000)
  timers.run(1000)
  t.same(
    { ran: ran.join(), size: timers.size, next: timers.next },
    { ran: 'a,b1,b2,c,d', size: 0, next: undefined },
  )
})

t.test('cancel: before, inside, after, twice', async t => {
  const timers = new Timers()
  const ran: string[] = []
  const cancels = ['a', 'b', 'c', 'd'].map((name, i): Cancel =>
    timers.add(i, 0, () => ran.push(name)),
  )
  cancels[1]?.()
  cancels[1]?.()
  t.equal(timers.size, 3)
  timers.run(2)
  cancels[0]?.()
  t.same([ran, timers.size], [['a', 'c'], 1])

  const other = timers.add(10, 0, () => ran.push('other'))
  timers.add(10, 0, () => ran.push('last'))
  timers.add(9, 0, () => other())
  const self = timers.add(9, 0, () => {
    self()
    ran.push('self')
  })
  timers.run(10)
  t.same(
    [ran, timers.size],
    [['a', 'c', 'd', 'self', 'last'], 0],
    'what another timer cancels does not run, though it was due',
  )
})

t.test('a cycle does not drift, leaves out what was missed, and cancels itself', async t => {
  const timers = new Timers()
  const ran: number[] = []
  let now = 0
  const cancel = timers.add(10, 10, () => {
    ran.push(now)
    if (ran.length === 5) cancel()
  })
  for (now of [9, 10, 12, 23, 57, 60, 69]) timers.run(now)
  t.same([ran, timers.next], [[10, 23, 57, 60], 70], 'counted from when it was due')
  for (now of [70, 80, 90]) timers.run(now)
  t.same(
    { ran, size: timers.size, next: timers.next },
    { ran: [10, 23, 57, 60, 70], size: 0, next: undefined },
  )
})

t.test('a timer that is added in a callback waits for the next run, even if it is due', async t => {
  const timers = new Timers()
  const ran: string[] = []
  const again = (): void => {
    ran.push('again')
    timers.add(5, 0, again)
  }
  timers.add(5, 0, again)
  timers.run(5)
  t.same(ran, ['again'])
  timers.run(5)
  t.same(ran, ['again', 'again'])
})

/**
 * A timer that was added in a callback, and was due before others that were due, came before them:
 * they waited for the next run.
 */
t.test('REGRESSION: a timer that is added in a callback delays none that is due', async t => {
  const timers = new Timers()
  const ran: string[] = []
  timers.add(10, 0, () => {
    ran.push('first')
    timers.add(0, 0, () => ran.push('inside'))
    timers.add(20, 0, () => ran.push('inside too'))
  })
  timers.add(50, 0, () => ran.push('second'))
  timers.add(100, 0, () => ran.push('third'))
  timers.run(100)
  t.same(ran, ['first', 'second', 'third'])
  timers.run(100)
  t.same(ran, ['first', 'second', 'third', 'inside', 'inside too'])
})

/**
 * 1000.7 + 3 × 7.1 is 1022, but (1022 − 1000.7) / 7.1 is a little less than 3: the run at 1022 came
 * twice.
 */
t.test('REGRESSION: a cycle runs once per run, whatever fractions its times have', async t => {
  const random = seeded(1)
  let doubled = 0
  for (let round = 0; round < rounds(5000); round++) {
    const timers = new Timers()
    const [due, every] = [random(1e9) / 1000, 1 + random(10_000) / 1000]
    const now = due + every * random(1000)
    let ran = 0
    const cancel = timers.add(due, every, () => {
      if (++ran > 3) cancel()
    })
    timers.run(now)
    const next = timers.next as number
    if (ran !== 1 || next <= now || next > now + every + 1e-6) doubled++
  }
  t.equal(doubled, 0)
})

t.test('a callback that throws: the others are still there, and a cycle goes on', async t => {
  const timers = new Timers()
  let ran = 0
  timers.add(1, 5, () => {
    throw new Error('oops')
  })
  timers.add(2, 0, () => ran++)
  t.throws(() => timers.run(3), { message: 'oops' })
  t.same({ ran, size: timers.size, next: timers.next }, { ran: 0, size: 2, next: 2 })
  timers.run(3)
  t.same({ ran, size: timers.size, next: timers.next }, { ran: 1, size: 1, next: 6 })
})

t.test(
  'clear drops all of them, also in a callback; cancelling them then does nothing',
  async t => {
    const timers = new Timers()
    let ran = 0
    const cancels = [1, 2, 3].map(due => timers.add(due, 0, () => ran++))
    timers.clear()
    t.same([timers.size, timers.next], [0, undefined])
    const later = timers.add(4, 0, () => ran++)
    for (const cancel of cancels) cancel()
    t.equal(timers.size, 1)
    later()

    timers.add(5, 1, () => {
      ran++
      timers.clear()
    })
    timers.add(5, 0, () => ran++)
    timers.run(5)
    t.same([ran, timers.size], [1, 0])
  },
)

t.test('PROPERTY: 20 000 timers, cancelled and added at random, run in order', async t => {
  const random = seeded(7)
  const timers = new Timers()
  const pending = new Map<number, { due: number; cancel: Cancel }>()
  let made = 0
  let now = 0
  let wrong = 0
  let last: [due: number, id: number] = [-1, -1]
  const add = (): void => {
    const id = made++
    const due = now + 1 + random(10_000)
    const cancel = timers.add(due, 0, () => {
      if (!pending.delete(id) || due > now || due < last[0] || (due === last[0] && id < last[1]))
        wrong++
      last = [due, id]
      if (random(3) === 0) add()
      if (random(3) === 0) cancelOne()
    })
    pending.set(id, { due, cancel })
  }
  const cancelOne = (): void => {
    const id = random(made)
    pending.get(id)?.cancel()
    pending.delete(id)
  }
  for (let i = 0; i < rounds(20_000); i++) add()
  for (let i = 0; i < rounds(10_000); i++) cancelOne()
  t.equal(timers.size, pending.size)
  while (timers.size > 0) {
    now = Math.max(now + random(200), timers.next as number)
    timers.run(now)
    last = [-1, -1]
    if (timers.size !== pending.size) wrong++
  }
  t.same([wrong, pending.size], [0, 0])
})
