import t from 'tap'
import { Budget } from '../../../src/packets/lines/budget.ts'
import { fate } from '../../kit.ts'

t.test('so many packets, so many bytes', async t => {
  const few = new Budget(2, 1000, 1000)
  t.strictSame([few.take(1), few.take(1), few.take(1)], [true, true, false])
  const small = new Budget(100, 10, 50)
  t.equal(small.take(20), true, 'one always fits')
  t.equal(small.take(1), false)
  small.free(20)
  t.strictSame([small.take(5), small.take(5), small.take(1)], [true, true, false])
  t.throws(() => small.take(51), {
    code: 'ERR_PACKET',
    field: 'data',
    message: /at most 50 bytes, the packet_size of its channel; it has 51/,
  })
  small.retake(51)
  t.strictSame([small.count, small.bytes], [3, 61], 'it was let in before')
})

t.test('waiting for room', async t => {
  const budget = new Budget(4, 100, 100)
  await budget.half()
  await budget.empty()
  for (let n = 0; n < 4; n++) budget.take(10)
  const [half, empty] = [budget.half(), budget.empty()]
  budget.free(10)
  t.equal(await fate(half), 'open')
  budget.free(10)
  t.equal(await fate(half), undefined)
  t.equal(await fate(empty), 'open')
  budget.free(10)
  budget.free(10)
  t.equal(await fate(empty), undefined)
  budget.take(60)
  const again = budget.half()
  t.equal(await fate(again), 'open', 'by bytes')
  const last = budget.empty()
  budget.release()
  await Promise.all([again, last, budget.half(), budget.empty()])
})
