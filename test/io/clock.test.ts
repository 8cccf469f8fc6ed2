/** The clock of the machine. */

import t from 'tap'
import { NodeClock } from '../../src/io/clock.ts'

t.test('tells the time, and never goes back', async t => {
  const clock = new NodeClock()
  let last = clock.now()
  t.type(last, 'number')
  for (let n = 0; n < 1000; n++) {
    const now = clock.now()
    if (now < last) t.fail('it went back')
    last = now
  }
})

t.test('calls back once, not in the call, and not when cancelled', async t => {
  const clock = new NodeClock()
  const log: string[] = []
  const cancelled = clock.after(0, () => log.push('cancelled'))
  cancelled()
  cancelled()
  const before = clock.now()
  // A busy process may see `soon` and `after` in either order. Promised is only that both come, and
  // not inside the call.
  let cancel = (): void => {}
  const after = new Promise<void>(resolve => (cancel = clock.after(5, resolve)))
  const soon = new Promise<void>(resolve => clock.soon(() => resolve(void log.push('soon'))))
  queueMicrotask(() => log.push('microtask'))
  t.same(log, [])
  await Promise.all([soon, after])
  t.same(log, ['microtask', 'soon'])
  t.ok(clock.now() - before >= 4)
  cancel()
})

// setTimeout fires at once for a delay that does not fit into 31 bits.
t.test('the longest delays', async t => {
  const clock = new NodeClock()
  let isCalled = false
  const cancels = [2 ** 31 - 1, 2 ** 31, 1e300, Infinity].map(delay =>
    clock.after(delay, () => (isCalled = true)),
  )
  await new Promise<void>(resolve => clock.after(5, resolve))
  t.equal(isCalled, false)
  for (const cancel of cancels) cancel()
})

t.test('soon comes when the sockets have been handled', async t => {
  const clock = new NodeClock()
  const log: number[] = []
  clock.soon(() => log.push(1))
  clock.soon(() => {
    log.push(2)
    clock.soon(() => log.push(3))
  })
  await new Promise<void>(resolve => clock.soon(resolve))
  t.same(log, [1, 2])
  await new Promise<void>(resolve => clock.soon(resolve))
  t.same(log, [1, 2, 3])
})
