/** What we say, byte for byte. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { PUBLISH, subscribeLine, unsubscribeLine } from '../../../src/protocols/nats/packer.ts'

const LONG = 'x'.repeat(100)
const HEADER = Buffer.from('NATS/1.0\r\nA: 1\r\n\r\n')

t.test('PUB and HPUB', async t => {
  const rows: [string, string, Uint8Array | undefined, string | Uint8Array, string][] = [
    ['a', '', undefined, '', 'PUB a 0\r\n\r\n'],
    ['a', 'r', undefined, 'hi', 'PUB a r 2\r\nhi\r\n'],
    ['a', '', undefined, 'ä', 'PUB a 2\r\nä\r\n'],
    ['a', '', undefined, LONG, `PUB a 100\r\n${LONG}\r\n`],
    ['a', '', undefined, Buffer.from('hi'), 'PUB a 2\r\nhi\r\n'],
    ['a', '', HEADER, 'hi', `HPUB a 18 20\r\n${HEADER}hi\r\n`],
    ['a', 'r', HEADER, new Uint8Array([65]), `HPUB a r 18 19\r\n${HEADER}A\r\n`],
  ]
  for (const [subject, reply, header, data, text] of rows) {
    t.equal(String(PUBLISH.pack(subject, reply, header, data)), text)
    const target = Buffer.alloc(300)
    const size = PUBLISH.pack_into(target, 7, subject, reply, header, data)
    t.equal(target.toString('utf8', 7, 7 + size), text)
    const short = Buffer.alloc(6)
    t.equal(PUBLISH.pack_into(short, 1, subject, reply, header, data), size, 'it does not fit')
    t.same(short, Buffer.alloc(6))
  }
})

t.test('a subject that is not ASCII', async t => {
  t.equal(String(PUBLISH.pack('Ã¤', '', undefined, '')), 'PUB ä 0\r\n\r\n')
})

t.test('lines', async t => {
  t.equal(subscribeLine('a.>', '', 3), 'SUB a.> 3\r\n')
  t.equal(subscribeLine('a.>', 'g', 3), 'SUB a.> g 3\r\n')
  t.equal(unsubscribeLine(3), 'UNSUB 3\r\n')
  t.equal(unsubscribeLine(3, 5), 'UNSUB 3 5\r\n')
})
