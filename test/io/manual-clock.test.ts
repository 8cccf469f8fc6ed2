/** ManualClock: in which order callbacks run, what they see, and that `advance` ends. */

import t from 'tap'
import { ManualClock } from '../../src/io/manual-clock.ts'

/** A callback that notes its name and the time. */
function noting(clock: ManualClock, log: string[]): (name: string) => () => void {
  return name => () => void log.push(`${name} ${clock.now()}`)
}

t.test('stands still until it is told', async t => {
  const clock = new ManualClock()
  t.equal(clock.now(), 0)
  clock.advance(10)
  t.equal(clock.now(), 10)
  t.equal(new ManualClock(500).now(), 500)
})

t.test(
  'runs what is due in the order of due times, then of making, each at its own time',
  async t => {
    const clock = new ManualClock(100)
    const log: string[] = []
    const note = noting(clock, log)
    clock.after(20, note('late'))
    clock.after(10, note('first'))
    clock.after(10, note('second'))
    clock.after(30.5, note('not yet'))
    clock.after(Infinity, note('never'))
    t.equal(clock.pending, 5)
    clock.advance(20)
    t.same(log, ['first 110', 'second 110', 'late 120'])
    clock.advance(10.5)
    t.equal(log.at(-1), 'not yet 130.5')
    t.equal(clock.pending, 1)
  },
)

t.test('runs what callbacks add, if it is due within the same advance', async t => {
  const clock = new ManualClock()
  const log: string[] = []
  const note = noting(clock, log)
  clock.after(10, () => {
    clock.after(10, note('added'))
    clock.after(11, note('too late'))
  })
  clock.after(15, note('between'))
  clock.advance(20)
  t.same(log, ['between 15', 'added 20'])
})

t.test('advance(0) runs what is due now, and soon', async t => {
  const clock = new ManualClock()
  const log: string[] = []
  const note = noting(clock, log)
  clock.after(0, note('timer'))
  clock.soon(note('soon'))
  t.same(log, [])
  clock.advance(0)
  t.same(log, ['soon 0', 'timer 0'])
})

const turn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve))

// What a program wrote was sent by the next `advance` only: node:test said that the event loop had
// resolved already, and nobody knew why.
t.test('REGRESSION: what needs no time runs in the turns of the event loop', async t => {
  const clock = new ManualClock()
  const log: string[] = []
  const note = noting(clock, log)
  clock.after(0, note('timer'))
  clock.soon(() => {
    note('a')()
    clock.soon(note('a2'))
  })
  clock.soon(note('b'))
  t.same(log, [])
  await turn()
  t.same(log.splice(0), ['a 0', 'b 0'])
  await turn()
  t.same(log.splice(0), ['a2 0'])
  clock.soon(note('c'))
  clock.advance(0)
  clock.soon(note('d'))
  t.same(log.splice(0), ['c 0', 'timer 0'])
  await turn()
  await turn()
  t.same(log.splice(0), ['d 0'], 'once')
})

t.test('no advance inside such a turn, and what throws there does not stop the clock', async t => {
  const clock = new ManualClock()
  const errors: unknown[] = []
  const caught = (error: unknown): void => void errors.push(error)
  const catching = t.intercept(process, 'emit', {
    value: (event: string, error: unknown) => {
      if (event === 'uncaughtException') caught(error)
      return true
    },
  })
  clock.soon(() => {
    clock.soon(() => errors.push('the next one'))
    clock.advance(0)
  })
  await turn()
  await turn()
  catching.restore()
  t.match(errors, [{ code: 'ERR_INVALID_STATE' }, 'the next one'])
})

t.test('callbacks that ask for another turn each time end by themselves', async t => {
  const clock = new ManualClock()
  let count = 0
  const again = (): void => {
    count++
    clock.soon(again)
  }
  clock.soon(again)
  for (let before = -1; count > before;) {
    before = count
    await turn()
    await turn()
  }
  t.equal(count, 10_000)
  t.equal(clock.pending, 1)
  clock.soon(() => {})
  await turn()
  t.equal(count, 10_001, 'until somebody else asks')
})

t.test('soon runs in rounds, and after each timer', async t => {
  const clock = new ManualClock()
  const log: string[] = []
  const note = noting(clock, log)
  clock.soon(() => {
    note('a')()
    clock.soon(note('a2'))
  })
  clock.soon(note('b'))
  clock.after(5, () => clock.soon(note('after the timer')))
  clock.after(6, note('timer'))
  clock.advance(10)
  t.same(log, ['a 0', 'b 0', 'a2 0', 'after the timer 5', 'timer 6'])
})

t.test('cancels: before, inside, twice, and after', async t => {
  const clock = new ManualClock()
  const log: string[] = []
  const note = noting(clock, log)
  const cancel = clock.after(5, note('cancelled'))
  cancel()
  cancel()
  const inside = clock.after(5, () => {
    inside()
    other()
  })
  const other = clock.after(5, note('cancelled by another'))
  clock.advance(5)
  inside()
  t.same(log, [])
  t.equal(clock.pending, 0)
})

t.test('what a callback throws comes out, and the rest runs next time', async t => {
  const clock = new ManualClock()
  const log: string[] = []
  clock.after(5, () => {
    throw new Error('mine')
  })
  clock.after(5, noting(clock, log)('rest'))
  t.throws(() => clock.advance(10), { message: 'mine' })
  t.equal(clock.now(), 5)
  clock.advance(0)
  t.same(log, ['rest 5'])
})

t.test(
  'callbacks without delay and without end are an error; many at one time are none',
  async t => {
    const clock = new ManualClock()
    const again = (): void => clock.soon(again)
    clock.soon(again)
    t.throws(() => clock.advance(0), { code: 'ERR_INVALID_STATE', message: /10000 rounds/ })
    const timers = new ManualClock()
    const round = (): void => void timers.after(0, round)
    timers.after(3, round)
    t.throws(() => timers.advance(5), { code: 'ERR_INVALID_STATE', message: /10000 rounds/ })
    t.equal(timers.now(), 3)
    const many = new ManualClock()
    let count = 0
    for (let made = 0; made < 20_000; made++) many.after(1, () => void count++)
    many.advance(1)
    t.equal(count, 20_000)
  },
)

t.test('misuse', async t => {
  const clock = new ManualClock()
  // `'5'` and `null` were taken; of a symbol JavaScript itself said something.
  for (const ms of [-1, NaN, '5', null, undefined, 5n, Symbol('ms')] as number[]) {
    t.throws(() => clock.advance(ms), { code: 'ERR_INVALID_ARGUMENT' })
    t.throws(() => clock.after(ms, () => {}), { code: 'ERR_INVALID_ARGUMENT' })
  }
  t.throws(() => clock.advance(Infinity), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new ManualClock(NaN), { code: 'ERR_INVALID_ARGUMENT' })
  clock.soon(() => clock.advance(1))
  t.throws(() => clock.advance(1), { code: 'ERR_INVALID_STATE', message: /moving/ })
})
