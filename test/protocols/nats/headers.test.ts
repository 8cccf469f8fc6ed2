/** Headers as they are written, and as they are read. */

import t from 'tap'
import {
  type NatsHeaders,
  NO_HEADER,
  packHeader,
  readHeader,
} from '../../../src/protocols/nats/headers.ts'
import { thrown } from '../../kit.ts'

t.test('written and read again', async t => {
  const bytes = packHeader({ A: 'one', b: ['two', 'drei ä'], none: [], empty: '' })
  t.equal(String(bytes), 'NATS/1.0\r\nA: one\r\nb: two\r\nb: drei ä\r\nempty: \r\n\r\n')
  const { status, description, fields } = readHeader(String(bytes))
  t.same([status, description], [0, ''])
  t.same(
    [...fields],
    [
      ['A', ['one']],
      ['b', ['two', 'drei ä']],
      ['empty', ['']],
    ],
  )
})

t.test('a status', async t => {
  const rows: [string, number, string][] = [
    ['NATS/1.0 503\r\n\r\n', 503, ''],
    ['NATS/1.0 100 Idle Heartbeat\r\n\r\n', 100, 'Idle Heartbeat'],
    ['NATS/1.0 408 Request Timeout\r\nA: 1\r\n\r\n', 408, 'Request Timeout'],
    ['NATS/1.0 abc\r\n\r\n', 0, ''],
    ['NATS/1.0\r\n\r\n', 0, ''],
  ]
  for (const [text, status, description] of rows) {
    const header = readHeader(text)
    t.same([header.status, header.description], [status, description], text)
  }
})

t.test('what is no header is passed over', async t => {
  t.equal(readHeader('HTTP/1.1 200 OK\r\nA: b'), NO_HEADER)
  t.equal(readHeader(''), NO_HEADER)
  const { fields } = readHeader(
    'NATS/1.0\r\nno colon\r\n: no name\r\nA:1\r\nA:  2 \r\n__proto__: 3',
  )
  t.same(
    [...fields],
    [
      ['A', ['1', '2']],
      ['__proto__', ['3']],
    ],
  )
})

t.test('what is refused', async t => {
  const rows: unknown[] = [
    null, [], 5, { 'a b': '' }, { 'a:': '' }, { '': '' }, { 'ä': '' }, { a: 'b\r\nc: d' },
    { a: 'b\n' }, { a: 5 }, { a: [5] }, { a: null },
  ] // prettier-ignore
  for (const headers of rows)
    t.equal(
      thrown(() => packHeader(headers as NatsHeaders)),
      'ERR_INVALID_ARGUMENT',
    )
})
