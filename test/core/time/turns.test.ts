/** The turns of an engine: what runs in which turn, and what asks for one. */

import t from 'tap'
import { Turns } from '../../../src/core/time/turns.ts'

/** Turns on a clock whose turns are taken by hand. */
function make() {
  const asked: (() => void)[] = []
  const log: string[] = []
  const turns = new Turns({
    now: () => 0,
    after: () => () => {},
    soon: callback => void asked.push(callback),
  })
  const say = (word: string) => () => void log.push(word)
  return { turns, asked, say, log, next: () => asked.shift()!(), news: () => log.splice(0) }
}

t.test('objects first, then callbacks, then loops', async t => {
  const { turns, asked, say, next, news } = make()
  turns.addLoop(say('loop'))
  turns.add(say('callback'))
  turns.wake({ turn: say('object') })
  t.equal(asked.length, 1, 'one turn for all')
  t.equal(turns.size, 2)
  t.same(news(), [], 'not in the call')
  next()
  t.same(news(), ['object', 'callback', 'loop'])
  t.equal(turns.size, 1)
  next()
  t.same(news(), ['loop'])
})

t.test('what asks during a turn gets the next one', async t => {
  const { turns, asked, say, next, news } = make()
  turns.wake({ turn: () => turns.wake({ turn: say('object') }) })
  turns.add(() => turns.add(say('callback')))
  next()
  t.same(news(), [])
  next()
  t.same(news(), ['object', 'callback'])
  t.equal(asked.length, 0, 'it rests')
})

t.test('a loop asks for the next turn, until it is cancelled', async t => {
  const { turns, asked, say, next, news } = make()
  const cancel = turns.addLoop(say('loop'))
  next()
  next()
  cancel()
  cancel()
  next()
  t.same(news(), ['loop', 'loop'])
  t.equal(asked.length, 0)
})

t.test('a callback cancels another, which then does not run', async t => {
  const { turns, say, next, news } = make()
  turns.add(() => cancelCallback())
  const cancelCallback = turns.add(say('callback'))
  turns.addLoop(() => cancelLoop())
  const cancelLoop = turns.addLoop(say('loop'))
  next()
  t.same(news(), [])
})

t.test('clear drops callbacks and loops, but not objects', async t => {
  const { turns, asked, say, next, news } = make()
  turns.add(say('callback'))
  turns.addLoop(say('loop'))
  turns.wake({ turn: say('object') })
  turns.clear()
  t.equal(turns.size, 0)
  next()
  t.same(news(), ['object'])
  t.equal(asked.length, 0)
})

t.test('alone: the only object of the last turn, until an object asks for one', async t => {
  const { turns, next } = make()
  const [one, other] = [{ turn() {} }, { turn() {} }]
  t.equal(turns.isAlone(one), false)
  turns.wake(one)
  t.equal(turns.isAlone(one), false, 'who waits')
  next()
  t.same([turns.isAlone(one), turns.isAlone(other)], [true, false])
  turns.wake(other)
  t.same([turns.isAlone(one), turns.isAlone(other)], [false, false])
  turns.wake(one)
  next()
  t.same([turns.isAlone(one), turns.isAlone(other)], [false, false], 'two of them')
  turns.favour(other)
  t.same([turns.isAlone(one), turns.isAlone(other)], [false, true], 'favoured')
  turns.wake(one)
  t.equal(turns.isAlone(other), false)
})
