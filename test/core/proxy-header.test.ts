/**
 * The header of the PROXY protocol: everything that its specification allows, cut everywhere.
 * Garbage is refused with the named error.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { claimsHeader, type ProxyHeader, readProxyHeader } from '../../src/core/proxy-header.ts'
import { ProxyHeaderError } from '../../src/errors.ts'
import { rounds, seeded } from './oracle.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const hexOf = (text: string): string => Buffer.from(text).toString('hex')
const v2 = (rest: string): Buffer => hex(SIGNATURE + rest)

/** Both addresses of a TCP4 connection, of version 2. */
const IPV4 = '01020304 0a000001 dc04 01bb'

const HEADERS: readonly [bytes: Buffer, says: Omit<ProxyHeader, 'size'>][] = [
  [
    Buffer.from('PROXY TCP4 1.2.3.4 255.0.0.9 56324 443\r\n'),
    { remote: ['1.2.3.4', 56324], local: ['255.0.0.9', 443] },
  ],
  [
    Buffer.from('PROXY TCP6 2001:DB8::1 ::1 0 65535\r\n'),
    { remote: ['2001:db8::1', 0], local: ['::1', 65535] },
  ],
  [
    Buffer.from('PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n'),
    { remote: ['1.2.3.4', 1], local: ['::1', 2] },
  ],
  // One host in several forms, of which a limit per address counted each for itself.
  [
    Buffer.from('PROXY TCP6 2001:0DB8:0:0::0001 0:0:0:0:0:ffff:0a09:0203 1 2\r\n'),
    { remote: ['2001:db8::1', 1], local: ['10.9.2.3', 2] },
  ],
  [Buffer.from('PROXY UNKNOWN\r\n'), {}],
  [Buffer.from('PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'), {}],
  [
    v2('21 11 000c 01020304 0a000001 dc04 01bb'),
    { remote: ['1.2.3.4', 56324], local: ['10.0.0.1', 443] },
  ],
  [
    v2(`21 21 0024 20010db8000000000000000000000001 00000000000000000000ffff01020304 0001 0002`),
    { remote: ['2001:db8::1', 1], local: ['1.2.3.4', 2] },
  ],
  [
    v2(`21 31 00d8 ${hexOf('/run/a').padEnd(216, '0')} ${'00'.repeat(108)}`),
    { remote: '/run/a', local: '' },
  ],
  [
    v2(`21 31 00d8 ${'61'.repeat(108)} ${hexOf('\0abstract').padEnd(216, '0')}`),
    { remote: 'a'.repeat(108), local: '\0abstract' },
  ],
  // Two of one type, and one that is empty.
  [
    v2('21 11 0017 01020304 0a000001 dc04 01bb 05 0001 61 ea 0000 05 0001 62'),
    {
      remote: ['1.2.3.4', 56324],
      local: ['10.0.0.1', 443],
      extensions: new Map([
        [5, Buffer.from('b')],
        [0xea, Buffer.alloc(0)],
      ]),
    },
  ],
  [v2('20 00 0000'), {}],
  [v2('20 11 000c 01020304 0a000001 dc04 01bb'), {}],
  [v2('21 00 0003 040000'), {}],
  [
    v2('21 11 0013 01020304 0a000001 dc04 01bb 040000 05 0001 61'),
    {
      remote: ['1.2.3.4', 56324],
      local: ['10.0.0.1', 443],
      extensions: new Map([[5, Buffer.from('a')]]),
    },
  ],
  // With a checksum, for which its own field counts as zero.
  [
    v2(`21 11 0013 ${IPV4} 03 0004 2d44ef8e`),
    { remote: ['1.2.3.4', 56324], local: ['10.0.0.1', 443] },
  ],
  // A health check (LOCAL) was turned away if its family was unknown, or if what follows the fixed
  // part was no list of extensions; so was PROXY with the family UNSPEC. All of it is discarded.
  [v2('20 51 0004 01020304'), {}],
  [v2('20 f2 0000'), {}],
  [v2('20 11 0003 010203'), {}],
  [v2('20 00 000c 01020304 05060708 0050 01bb'), {}],
  [v2('20 11 0010 01020304 0a000001 dc04 01bb 03 0001 00'), {}],
  [v2('21 00 000c 01020304 05060708 0050 01bb'), {}],
  [v2('21 02 0002 0500'), {}],
]

t.test('headers, cut everywhere, and with bytes after them', async t => {
  for (const [bytes, says] of HEADERS) {
    const name = bytes.toString('latin1').slice(0, 60)
    const cut = Array.from(bytes, (_, size) => readProxyHeader(bytes.subarray(0, size)))
    t.same([...new Set(cut)], ['more'], `less than all of ${JSON.stringify(name)}`)
    t.same(readProxyHeader(bytes), { size: bytes.length, ...says }, name)
    t.same([claimsHeader(bytes), claimsHeader(Buffer.from('PROXIMA'))], [true, false])
    t.same(
      readProxyHeader(Buffer.concat([bytes, Buffer.from('PROXY more\r\n')])),
      { size: bytes.length, ...says },
      name,
    )
  }
})

t.test('bytes that are not a header', async t => {
  const rows: [bytes: Buffer | string, message: RegExp][] = [
    ['GET / HTTP/1.1\r\n', /begins with neither/],
    ['PROXX', /begins with neither/],
    [hex('0d0a0d0a01'), /begins with neither/],
    ['PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n', /its family is "TCP5"/],
    ['PROXY \r\n', /its family is ""/],
    ['PROXY\t', /begins with neither/],
    ['PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n', /"1.2.3" is not a valid TCP4 address/],
    ['PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n', /is not a valid TCP4 address/],
    ['PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n', /is not a valid TCP4 address/],
    ['PROXY TCP6 1::2::3 ::1 1 2\r\n', /"1::2::3" is not a valid TCP6 address/],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', /"" is not a valid port/],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n', /"65536" is not a valid port/],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 02\r\n', /"02" is not a valid port/],
    ['PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n', /text after its ports/],
    ['PROXY TCP4\r\n', /"" is not a valid TCP4 address/],
    [`PROXY UNKNOWN ${'x'.repeat(100)}\r\n`, /at most 107 bytes/],
    [v2('11 11 000c'), /its version is 1, not 2/],
    [v2('22 11 000c'), /its command is 2/],
    [v2('21 41 000c'), /its address family is 4/],
    [v2('21 11 1001'), /its length is 4097 bytes/],
    [v2('21 11 000b'), /11 bytes, too few/],
    [v2('20 51 1001'), /its length is 4097 bytes/],
    [v2(`21 11 000e ${IPV4} 0500`), /an extension reaches beyond its end/],
    [v2(`21 11 0010 ${IPV4} 05 0002 00`), /an extension reaches beyond its end/],
    [v2(`21 11 0010 ${IPV4} 03 0001 00`), /its checksum is not 4 bytes long/],
    [v2(`21 11 0013 ${IPV4} 03 0004 2d44ef8f`), /its checksum is wrong/],
  ]
  for (const [bytes, message] of rows) {
    t.throws(
      () => readProxyHeader(Buffer.from(bytes as string)),
      { code: 'ERR_PROXY_HEADER', message },
      String(message),
    )
  }
})

t.test('seeded garbage: a header, more, or the named error; never beyond the bounds', async t => {
  const counts = { header: 0, more: 0, refused: 0 }
  for (let seed = 0; seed < rounds(4000); seed++) {
    const random = seeded(seed)
    const [start] = HEADERS[random(HEADERS.length)]!
    const bytes = Buffer.concat([start, Buffer.alloc(random(5))])
    for (let i = random(4); i > 0; i--) bytes[random(bytes.length)] = random(256)
    try {
      const header = readProxyHeader(bytes.subarray(0, random(bytes.length + 1)))
      if (header !== 'more' && (header.size < 8 || header.size > bytes.length))
        t.fail(`seed ${seed}: ${header.size} of ${bytes.length}`)
      counts[header === 'more' ? 'more' : 'header']++
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) t.fail(`seed ${seed}: ${(error as Error).stack}`)
      counts.refused++
    }
  }
  t.ok(Math.min(...Object.values(counts)) > 100, JSON.stringify(counts))
  for (const most of [
    'PROXY TCP4 '.padEnd(106, '1'),
    Buffer.concat([v2('21 11 1000'), Buffer.alloc(4095)]),
  ])
    t.equal(readProxyHeader(Buffer.from(most as string)), 'more')
})
