/** The reader of the delimiter that was set last, and the one before. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { ReaderChoice } from '../../../src/core/reading/reader-choice.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'

const TEXT = { encoding: 'utf8', regex_search: true } as const
const BYTES = { encoding: null, regex_search: true } as const

t.test('two readers are remembered', async t => {
  const choice = new ReaderChoice('\n', TEXT)
  const lines = choice.reader
  t.equal(choice.choose('\n', TEXT), lines)
  const four = choice.choose(4, TEXT)
  t.not(four, lines)
  t.equal(choice.choose('\n', TEXT), lines)
  t.equal(choice.choose(4, TEXT), four)
  t.not(choice.choose(4, BYTES), four, 'other settings')
  t.not(choice.choose('\n', BYTES), lines)
  t.equal(choice.reader, choice.choose('\n', BYTES))
})

t.test('a reader that skips a message forgets that when another one takes over', async t => {
  const skip = { ...BYTES, overflow: 'skip' } as const
  const choice = new ReaderChoice('\n', skip)
  const lines = choice.reader
  const buffer = new RecvBuffer()
  buffer.append(Buffer.from('abc'))
  lines.next(buffer, 1)
  t.equal(lines.held, 1)
  choice.choose(2, skip)
  t.equal(lines.held, 0)
})

// `on_read() { this.read_delimiter = 0 }` never returned to the loop: the process stood still.
t.test('REGRESSION: empty reads without a byte in between come to an end', async t => {
  const choice = new ReaderChoice(0, BYTES)
  const ask = (times: number, first: number): void => {
    for (let i = 0; i < times; i++) choice.assigned(first)
  }
  ask(1000, 1)
  t.throws(() => choice.assigned(1), {
    code: 'ERR_INVALID_DELIMITER',
    message: /^read_delimiter: a count of 0 must not be set 1000 times without a byte in between/,
  })
  ask(1000, 2)
  choice.forget()
  ask(1000, 2)
  t.throws(() => choice.assigned(2))
  choice.choose('\n', BYTES)
  t.doesNotThrow(() => ask(2000, 2), 'another delimiter asks for nothing')
})
