/** The bytes of text that is being written. */

import t from 'tap'
import { TEXT } from '../../../src/io/bun/text-memory.ts'

t.test('what fits is in one memory, and longer text in its own', async t => {
  const made = (text: string, encoding: BufferEncoding): unknown[] => {
    const bytes = TEXT.bytesOf(text, encoding)
    return [
      [...bytes.subarray(0, Math.min(TEXT.size, 3))],
      TEXT.size,
      bytes === TEXT.bytesOf('', 'hex'),
    ]
  }
  t.same(made('é', 'latin1'), [[0xe9], 1, true])
  t.same(made('é€', 'utf8'), [[0xc3, 0xa9, 0xe2], 5, true])
  t.same(made('00ff', 'hex'), [[0, 255], 2, true])
  t.same(made('é'.repeat(65536), 'latin1'), [[0xe9, 0xe9, 0xe9], 65536, true])
  t.same(made('a'.repeat(65537), 'latin1'), [[97, 97, 97], 65537, false])
  t.same(made('€'.repeat(21846), 'utf8'), [[0xe2, 0x82, 0xac], 65538, false])
})

t.test('what is kept is not written over', async t => {
  const shared = TEXT.bytesOf('abc', 'latin1')
  const own = TEXT.bytesOf('x'.repeat(65537), 'latin1')
  const rest = TEXT.kept(shared.subarray(1, 3), shared)
  const part = own.subarray(1)
  TEXT.bytesOf('xyz', 'latin1')
  t.same([...rest], [98, 99])
  t.equal(TEXT.kept(part, own), part, 'no copy of what is its own')
})
