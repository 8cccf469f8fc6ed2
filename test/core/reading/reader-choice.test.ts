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
