/** One head of HTTP/1.1, read strictly. Each case is read whole and byte by byte. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  type Head,
  type HeadFault,
  HeadReader,
  isToken,
  isValue,
  listOf,
  plain,
} from '../../../src/protocols/websocket/head.ts'

/** Whole, and byte by byte: the same. */
function read(text: string): Head | HeadFault | undefined {
  const whole = new HeadReader().push(Buffer.from(text, 'latin1'))
  const reader = new HeadReader()
  let single: Head | HeadFault | undefined
  let used = 0
  for (const byte of Buffer.from(text, 'latin1')) {
    if (single !== undefined) break
    single = reader.push(Buffer.from([byte]))
    used++
  }
  const show = (head: Head | HeadFault | undefined): unknown =>
    head && 'fields' in head ? [head.line, [...head.fields]] : head
  t.same(show(single), show(whole))
  if (whole && 'rest' in whole) t.equal(whole.rest.toString('latin1'), text.slice(used))
  return whole
}

t.test('a head, and what stands behind it', async t => {
  const head = read(
    'GET /x HTTP/1.1\r\nHost: a\r\nX-One:1\r\nx-one:\t 2 \t\r\nE:\r\n\r\nrest',
  ) as Head
  t.equal(head.line, 'GET /x HTTP/1.1')
  t.same(
    [...head.fields],
    [
      ['host', ['a']],
      ['x-one', ['1', '2']],
      ['e', ['']],
    ],
  )
  t.equal(head.rest.toString(), 'rest')
  t.equal(read('GET /x HTTP/1.1\r\nHost: a\r\n'), undefined)
  t.equal(read(''), undefined)
  const reader = new HeadReader()
  const half = `GET / HTTP/1.1\r\na: ${'x'.repeat(9000)}`
  t.equal(reader.push(Buffer.from(half)), undefined)
  t.match(reader.push(Buffer.from(half.slice(16))), { status: 431 })
})

t.test('what is refused', async t => {
  const line = 'GET / HTTP/1.1\r\n'
  const rows: [string, number, RegExp][] = [
    ['\r\n', 400, /empty/],
    ['GET / HTTP/1.1\n', 400, /CR LF/],
    [`${line}Host: a\n\r\n`, 400, /CR LF/],
    [`${line}Host: a\r\n\n`, 400, /CR LF/],
    [`${line}Host: a\r\n b\r\n\r\n`, 400, /folded/],
    [`${line}\tb: a\r\n\r\n`, 400, /folded/],
    [`${line}Host\r\n\r\n`, 400, /name and a colon/],
    [`${line}: a\r\n\r\n`, 400, /name and a colon/],
    [`${line}Host : a\r\n\r\n`, 400, /name and a colon/],
    [`${line}Ho(st: a\r\n\r\n`, 400, /name and a colon/],
    [`${line}Host: a\rb\r\n\r\n`, 400, /control/],
    [`${line}Host: a\0b\r\n\r\n`, 400, /control/],
    [`${line}Host: \x7f\r\n\r\n`, 400, /control/],
    ['GET /\x01 HTTP/1.1\r\n', 400, /control/],
    [`${line}${'a: b\r\n'.repeat(101)}`, 431, /100 fields/],
    [`${line}a: ${'x'.repeat(17_000)}`, 431, /16384 bytes/],
    ['x'.repeat(17_000), 431, /16384 bytes/],
  ]
  for (const [text, status, why] of rows) t.match(read(text), { status, why }, text.slice(0, 60))
})

t.test('a head within the bounds', async t => {
  t.ok((read(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(100)}\r\n`) as Head).fields)
  t.ok((read(`GET / HTTP/1.1\r\na: ${'x'.repeat(16_000)}\r\n\r\n`) as Head).fields)
  t.match(read('GET / HTTP/1.1\r\na: \xfc\r\n\r\n'), { line: 'GET / HTTP/1.1' })
})

t.test('lists, names, values, and the fields of a program', async t => {
  const { fields } = read(
    'x\r\nA: b, c ,,d\r\na: \r\nA: e\r\nCookie: f\r\ncookie: g\r\n\r\n',
  ) as Head
  t.same(listOf(fields, 'a'), ['b', 'c', 'd', 'e'])
  t.same(listOf(fields, 'z'), [])
  t.same({ ...plain(fields) }, { a: 'b, c ,,d, , e', cookie: 'f; g' })
  t.equal(Object.getPrototypeOf(plain(fields)), null)
  t.same(['a-b', 'a b', '', 'ä'].map(isToken), [true, false, false, false])
  t.same(['a b', 'a\r\nb', 'ä', '€'].map(isValue), [true, false, true, false])
})
