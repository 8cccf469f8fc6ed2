import t from 'tap'
import { wallTime } from '../../../src/envelope/consumers/wall-clock.ts'

t.test('what happens at once has one time', async t => {
  let time = 1000
  t.intercept(Date, 'now', { value: () => time++ })
  t.strictSame([wallTime(), wallTime()], [1000, 1000])
  await null
  t.equal(wallTime(), 1001)
})
