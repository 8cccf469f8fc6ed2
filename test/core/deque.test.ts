import t from 'tap'
import { Deque } from '../../src/core/deque.ts'

t.test('first in, first out, and back to the front', async t => {
  const deque = new Deque<number>()
  t.equal(deque.shift(), undefined)
  for (const n of [1, 2, 3]) deque.push(n)
  t.strictSame([deque.size, deque.at(0), deque.at(2), deque.at(3)], [3, 1, 3, undefined])
  t.equal(deque.shift(), 1)
  deque.unshift(1)
  t.strictSame([...deque], [1, 2, 3])
  deque.unshift(0)
  t.strictSame([...deque], [0, 1, 2, 3])
  for (const n of [0, 1, 2, 3]) t.equal(deque.shift(), n)
  deque.unshift(9)
  t.strictSame([...deque], [9])
  deque.clear()
  t.equal(deque.size, 0)
})

t.test('many, of which it is never empty', async t => {
  const deque = new Deque<number>()
  const shifted: unknown[] = []
  for (let n = 0; n < 10_000; n++) {
    deque.push(n)
    if (n >= 10) shifted.push(deque.shift())
  }
  t.same(shifted, [...Array(9990).keys()])
  t.equal(deque.size, 10)
})

t.test('thousands at once', async t => {
  const deque = new Deque<number>()
  const numbers = [...Array(10_000).keys()]
  t.strictSame([deque.at(0), deque.takeAll()], [undefined, []])
  for (const n of numbers.slice(0, 6000)) deque.push(n)
  t.same(
    Array.from({ length: 5000 }, () => deque.shift()),
    numbers.slice(0, 5000),
  )
  t.equal(deque.size, 1000)
  for (const n of numbers.slice(6000)) deque.push(n)
  t.equal(deque.at(0), 5000)
  t.same(deque.takeAll(), numbers.slice(5000))
  t.equal(deque.size, 0)
  deque.push(1)
  t.strictSame([deque.shift(), deque.size], [1, 0])
})
