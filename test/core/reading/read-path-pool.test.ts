/** Read paths: lent to one stream after the other where they are shared. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import type { ReadOwner } from '../../../src/core/read-path.ts'
import { ReadPathPool } from '../../../src/core/reading/read-path-pool.ts'

/** Nothing is reported to it in these tests. */
const OWNER = {} as ReadOwner

const LINES: ConstructorParameters<typeof ReadPathPool>[0] = {
  read_delimiter: '\n',
  regex_search: true,
  overflow: 'hold',
  encoding: 'utf8',
  buffer_size: 65_536,
}

t.test('read paths are lent by shared values, and kept by a stream of its own', async t => {
  const reads: string[] = []
  const target = (name: string) => ({ on_read: (line: string) => void reads.push(name + line) })
  const lines = new ReadPathPool(LINES, true)
  const path = lines.borrow(target('a '), OWNER, false)
  path.receive(Buffer.from('one\n'))
  t.equal(lines.takeBack(path), true)
  t.equal(lines.borrow(target('b '), OWNER, false), path)
  path.receive(Buffer.from('two\n'))
  t.same(reads, ['a one', 'b two'])
  const own = new ReadPathPool({ ...LINES, read_delimiter: ';' }, false)
  const kept = own.borrow(target('c '), OWNER, false)
  kept.receive(Buffer.from('three;'))
  t.equal(own.takeBack(kept), false)
  kept.receive(Buffer.from('four;'))
  t.same(reads.slice(2), ['c three', 'c four'])
  const many = Array.from({ length: 70 }, () => lines.borrow(target(''), OWNER, false))
  for (const each of many) lines.takeBack(each)
  const again = new Set(many.map(() => lines.borrow(target(''), OWNER, false)))
  t.equal(many.filter(each => again.has(each)).length, 64)
})
