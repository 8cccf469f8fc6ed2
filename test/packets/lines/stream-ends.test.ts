/** Both ends of a stream, and everything between them that can go wrong. */

import t from 'tap'
import { Budget } from '../../../src/packets/lines/budget.ts'
import { Incoming, Outgoing, progressOf } from '../../../src/packets/lines/stream-ends.ts'
import { act, numbersOf, upTo } from '../kit.ts'

const make = (): { out: Outgoing; budget: Budget } => {
  const budget = new Budget(10_000, 1e9, 1e9)
  return { out: new Outgoing('s', budget), budget }
}

/** Sends all that may go. */
function send(out: Outgoing): number[] {
  const numbers: number[] = []
  for (let packet = out.next(); packet !== undefined; packet = out.next()) {
    out.sent(packet)
    numbers.push(packet.place!.number)
  }
  return numbers
}

t.test('out, and confirmed', async t => {
  const { out, budget } = make()
  t.equal(out.next(), undefined)
  for (const n of upTo(3)) t.equal(out.push(act(n)), true)
  t.strictSame([out.size, out.waiting, budget.count], [3, 3, 3])
  t.strictSame(send(out), [1, 2, 3])
  t.equal(out.waiting, 0)
  out.confirm({ stream: 'another', number: 3 })
  t.equal(out.size, 3)
  out.confirm({ stream: 's', number: 2 })
  t.strictSame([out.size, out.progress, budget.count], [1, { stream: 's', number: 2 }, 1])
  out.confirm({ stream: 's', number: 1 })
  out.confirm({ stream: 's', number: 99 })
  t.strictSame([out.size, budget.count, budget.bytes], [0, 0, 0], 'no more than there is')
  out.push(act(9))
  t.strictSame(send(out), [4])
})

t.test('on the way is a window at most', async t => {
  const { out } = make()
  for (const n of upTo(600)) out.push(act(n))
  t.equal(send(out).length, 512)
  out.confirm({ stream: 's', number: 100 })
  t.equal(send(out).length, 88)
  const { out: large } = make()
  for (const n of upTo(4)) large.push(act(n).copy({ data: { n: 'x'.repeat(600_000) } }))
  t.strictSame(send(large), [1, 2], 'by size, too')
})

t.test('the way breaks: it goes on after what has arrived', async t => {
  const { out, budget } = make()
  for (const n of upTo(5)) out.push(act(n))
  send(out)
  out.resume({ stream: 's', number: 3 })
  t.strictSame(send(out), [4, 5])
  out.resume(undefined)
  t.strictSame(send(out), [4, 5])
  out.resume({ stream: 'of somebody else', number: 5 })
  t.strictSame(send(out), [4, 5], 'the other end does not know this stream')
  out.confirm({ stream: 's', number: 5 })
  out.push(act(5))
  out.resume({ stream: 's', number: 6 })
  t.strictSame([out.size, budget.count], [0, 0], 'it arrived after all')
})

t.test('the other end does not confirm', async t => {
  const { out, budget } = make()
  for (const n of upTo(4)) out.push(act(n))
  const first = out.next()!
  out.sent(first)
  const rest = out.drain()
  t.strictSame(numbersOf(rest), [1, 2, 3], 'what is on its way has gone')
  t.strictSame(
    rest.map(({ place }) => place),
    [undefined, undefined, undefined],
  )
  t.strictSame([out.size, budget.count, out.progress.number], [0, 0, 4])
})

t.test('what was ever handed on is sent once, if the other end does not confirm', async t => {
  const { out } = make()
  for (const n of upTo(5)) out.push(act(n))
  const fresh = (): number[] => numbersOf([out.fresh()!])
  t.strictSame(fresh(), [0])
  out.handed(out.fresh()!)
  out.handed(out.fresh()!)
  out.resume(undefined)
  t.strictSame(fresh(), [2], 'also on the next connection')
  out.confirm({ stream: 's', number: 1 })
  t.strictSame(fresh(), [2])
  out.resume({ stream: 's', number: 1 })
  t.strictSame(send(out), [2, 3, 4, 5], 'it confirms after all')
  out.resume(undefined)
  t.strictSame([out.drain(), out.fresh()], [[], undefined])
})

t.test('no room, and one that had room', async t => {
  const budget = new Budget(1, 1000, 1000)
  const out = new Outgoing('s', budget)
  out.push(act(1))
  out.move(act(2))
  t.strictSame([out.size, budget.count, send(out)], [2, 2, [1, 2]])
})

t.test('no room', async t => {
  const out = new Outgoing('s', new Budget(1, 1000, 1000))
  t.strictSame([out.push(act(1)), out.push(act(2))], [true, false])
  t.equal(out.size, 1)
})

t.test('in: each once, in order', async t => {
  const incoming = new Incoming()
  const at = (number: number, stream = 's') => ({ stream, number })
  t.equal(incoming.progress, undefined)
  t.equal(incoming.take(at(1)), 'gap', 'nobody has introduced it')
  incoming.introduce(at(0))
  t.strictSame(
    [1, 1, 3, 2].map(n => incoming.take(at(n))),
    ['next', 'again', 'gap', 'next'],
  )
  t.strictSame(incoming.progress, at(0), 'nothing is done')
  incoming.done(at(2))
  incoming.done(at(1))
  t.strictSame(incoming.progress, at(2))
  incoming.introduce(at(0))
  t.equal(incoming.take(at(3)), 'next', 'the same stream: it is further than it was said to be')
  incoming.introduce(at(5))
  t.strictSame(incoming.progress, at(5), 'the other end has gone on')
  incoming.introduce(at(7, 'new'))
  t.strictSame(incoming.progress, at(7, 'new'))
  incoming.done(at(9))
  t.strictSame(incoming.progress, at(7, 'new'), 'of the stream before')
  t.equal(incoming.take(at(8, 'new')), 'next')
})

t.test('in, without confirmations: each once, whatever is missing', async t => {
  const incoming = new Incoming()
  const pass = (...numbers: number[]): boolean[] =>
    numbers.map(number => incoming.pass({ stream: 's', number }))
  t.strictSame(pass(2, 2, 1, 5), [true, false, false, true])
  t.strictSame(incoming.progress, { stream: 's', number: 5 })
  t.equal(incoming.pass({ stream: 'new', number: 1 }), true)
})

t.test('what a peer says', async t => {
  t.strictSame(progressOf({ stream: 's', number: 0, more: 1 }), { stream: 's', number: 0 })
  for (const value of [
    undefined,
    null,
    5,
    {},
    { stream: '', number: 1 },
    { stream: 'x'.repeat(257), number: 1 },
    { stream: 5, number: 1 },
    { stream: 's', number: -1 },
    { stream: 's', number: 0.5 },
    { stream: 's', number: '1' },
  ])
    t.equal(progressOf(value), undefined)
})
