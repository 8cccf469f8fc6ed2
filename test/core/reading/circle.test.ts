/** A hook that asks for reads for ever, none of which takes a byte. */

import t from 'tap'
import { Circle } from '../../../src/core/reading/circle.ts'

const LIMIT = 1000

// `on_read() { this.read_delimiter = 0 }` never returned to the loop: the process stood still.
t.test('REGRESSION: empty reads without a byte in between come to an end', async t => {
  const circle = new Circle()
  const ask = (times: number, at: number): void => {
    for (let i = 0; i < times; i++) circle.emptyRead(at)
  }
  ask(LIMIT, 1)
  t.throws(() => circle.emptyRead(1), {
    code: 'ERR_INVALID_DELIMITER',
    message: /^read_delimiter: a count of 0 must not be set 1000 times without a byte in between/,
  })
  ask(LIMIT, 2)
  circle.forget()
  ask(LIMIT, 2)
  t.throws(() => circle.emptyRead(2))
})

// Neither did `on_read(data) { this.unread(data) }`.
t.test('REGRESSION: bytes that are given back for ever', async t => {
  const circle = new Circle()
  for (let i = 0; i < LIMIT; i++) circle.givenBack(1)
  t.throws(() => circle.givenBack(1), {
    code: 'ERR_INVALID_STATE',
    message: /^unread\(\): the same bytes were given back 1000 times/,
  })
  t.doesNotThrow(() => circle.givenBack(2), 'they were read on')
  // More are given back each time than were read.
  for (let i = 1; i < LIMIT; i++) circle.givenBack(2 - i)
  t.throws(() => circle.givenBack(-LIMIT))
  for (let at = 3; at < 3 * LIMIT; at++) circle.givenBack(at)
})
