/**
 * What a server says. However the bytes are cut into chunks, the outcome is the same; and what is
 * wrong is refused before memory is taken for it.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { NEED_MORE, READER } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { NatsError } from '../../../src/protocols/nats/errors.ts'
import { NatsMessage } from '../../../src/protocols/nats/message.ts'
import { type Incoming, Info, Protocol, Refusal } from '../../../src/protocols/nats/parser.ts'
import { chunkings, seeded } from '../../core/oracle.ts'

const publisher = { publish: (): boolean => false }

function show(incoming: Incoming): string {
  if (incoming instanceof NatsMessage) {
    const { sid, subject, reply, text } = incoming
    const header = [...incoming.headers].map(([name, values]) => `${name}=${values}`)
    return `${subject} ${sid} ${reply} [${incoming.status} ${header}] ${text}`
  }
  if (incoming instanceof Info)
    return `info ${incoming.info.server_id} ${incoming.info.max_payload}`
  return incoming instanceof Refusal ? `refusal ${incoming.said}` : incoming
}

/** Reads these chunks as the read path does; the last line is the error. */
function read(chunks: readonly Buffer[], maxSize = 1000): string[] {
  const reader = new Protocol(publisher, maxSize)[READER]()
  const buffer = new RecvBuffer()
  const news: string[] = []
  try {
    for (const chunk of chunks) {
      buffer.append(Buffer.from(chunk))
      for (;;) {
        const incoming = reader.next(buffer, 1) as Incoming | undefined
        reader.giveBack(buffer)
        if (incoming !== NEED_MORE) news.push(show(incoming))
        else if (!buffer.more()) break
      }
      buffer.trim()
    }
  } catch (error) {
    news.push(`${(error as NatsError).code} ${(error as Error).message}`)
  }
  return news
}

function readText(text: string, maxSize?: number): string[] {
  return read([Buffer.from(text)], maxSize)
}

const HEADER = 'NATS/1.0 100 Hi\r\nA: b\r\n\r\n'

const TALK =
  'INFO {"server_id":"X","max_payload":77} \r\n' +
  'PING\r\nPONG\r\n+OK\r\n' +
  "-ERR 'Stale Connection'\r\n" +
  '-ERR no quotes\r\n' +
  'MSG a.b 12 5\r\nhello\r\n' +
  'MSG a.b 12 in.box 5\r\nhello\r\n' +
  'msg\ta  1\t 0 \r\n\r\n' +
  'MsG ä 999999999999999 2\r\nä\r\n' +
  `HMSG a.b 3 ${HEADER.length} ${HEADER.length + 4}\r\n${HEADER}body\r\n` +
  `hmsg a.b 3 in.box ${HEADER.length} ${HEADER.length}\r\n${HEADER}\r\n` +
  // With its empty line; the total is the same: no payload.
  'HMSG _INBOX.1 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n' +
  'ping \t\nPong\n'

const HEARD = [
  'info X 77',
  'ping',
  'pong',
  'ok',
  'refusal Stale Connection',
  'refusal no quotes',
  'a.b 12  [0 ] hello',
  'a.b 12 in.box [0 ] hello',
  'a 1  [0 ] ',
  'ä 999999999999999  [0 ] ä',
  'a.b 3  [100 A=b] body',
  'a.b 3 in.box [100 A=b] ',
  '_INBOX.1 9  [503 ] ',
  'ping',
  'pong',
]

t.test('a talk, cut in every way', async t => {
  t.same(readText(TALK), HEARD)
  const bytes = Buffer.from(TALK)
  const random = seeded(1)
  for (const [name, chunks] of chunkings(bytes, random)) t.same(read(chunks), HEARD, name)
})

t.test('a large message, in pieces, in front of others', async t => {
  const big = 'x'.repeat(900_000)
  const bytes = Buffer.from(`MSG a 1 900000\r\n${big}\r\nPING\r\n`)
  const chunks = Array.from({ length: 50 }, (_, i) => bytes.subarray(i * 20_000, (i + 1) * 20_000))
  t.same(read(chunks, 1e6), [`a 1  [0 ] ${big}`, 'ping'])
})

t.test('INFO: what is missing or of another type changes nothing', async t => {
  const info = (text: string): unknown => {
    const buffer = new RecvBuffer()
    buffer.append(Buffer.from(`INFO ${text}\r\n`))
    return (new Protocol(publisher, 1)[READER]().next(buffer, 1) as Info).info
  }
  const nothing = {
    server_id: '',
    server_name: '',
    version: '',
    max_payload: 1024 * 1024,
    headers: false,
    jetstream: false,
    connect_urls: [],
    nonce: '',
    auth_required: false,
    tls_required: false,
    tls_available: false,
    ldm: false,
  }
  t.same(info('{}'), nothing)
  t.same(
    info('{"server_id":5,"max_payload":"9","headers":1,"connect_urls":"a","nonce":{},"ldm":"yes"}'),
    nothing,
  )
  t.same(info('{"max_payload":-1,"connect_urls":[1,"a:1",null]}'), {
    ...nothing,
    connect_urls: ['a:1'],
  })
})

t.test('what is no NATS', async t => {
  const rows = [
    'HTTP/1.1 400 Bad Request\r\n', 'SSH-2.0-x\r\n', '\r\n', ' PING\r\n', 'INFO\r\n', 'INFO x\r\n',
    'INFO 5\r\n', 'INFO null\r\n', 'MSG\r\n', 'MSG a\r\n', 'MSG a 1\r\n', 'MSG a 1 2 3 4\r\n',
    'MSG a b c d e f g h\r\n', 'MSG a x 1\r\n', 'MSG a 1 x\r\n', 'MSG a 1 -1\r\n',
    'MSG a 1 1.5\r\n', 'MSG a 9999999999999999 1\r\n', 
    'MSG a 1 99999999999999999999\r\n', 'MSG a\0b 1 1\r\n', 'MSGa 1 1 1\r\n', 'MAG a 1 1\r\n',
    'MSX a 1 1\r\n', 'XMSG a 1 1 1\r\n', 'HMSG a 1 1\r\n',
    'HMSG a 1 5 4\r\n', 'HMSG a 1 x 4\r\n', 'HXSG a 1 2 4\r\n', 'MSG a 1 2\r\nabc\r\n',
    'MSG a 1 2\r\nab\n\r', 'SUB a 1\r\n', '\x16\x03\x01\n',
  ] // prettier-ignore
  for (const text of rows) {
    const whole = readText(text)
    t.match(whole.at(-1), /^ERR_NATS_PROTOCOL the server does not speak NATS: /, text)
    t.equal(whole.length, 1, text)
    const single = [...Buffer.from(text)].map(byte => Buffer.from([byte]))
    t.match(read(single).at(-1), /^ERR_NATS_PROTOCOL/, text)
  }
})

t.test('what is announced too large is refused when it is announced', async t => {
  t.match(readText('MSG a 1 1001\r\n'), [/ERR_NATS_PROTOCOL.* 1001 bytes was announced/])
  t.match(readText('HMSG a 1 12 1001\r\n'), [/ERR_NATS_PROTOCOL.* 1001 bytes was announced/])
  t.same(readText('MSG a 1 1000\r\n'), [])
})

t.test('a line without end is refused at 1 MiB', async t => {
  const chunk = Buffer.alloc(65536, 'x')
  for (const first of ['INFO {"a":"', 'MSG ', 'XYZ ']) {
    const chunks = [Buffer.from(first), ...Array.from({ length: 17 }, () => chunk)]
    t.match(read(chunks), [/^ERR_NATS_PROTOCOL.*a line has more than 1048576 bytes/], first)
  }
  const whole = Buffer.concat([Buffer.alloc(1024 * 1024 + 1, 'x'), Buffer.from('\r\n')])
  t.match(read([whole]), [/a line has more than 1048576 bytes/])
})

t.test('memory of the read path that is used again is not looked at', async t => {
  const reader = new Protocol(publisher, 1000)[READER]()
  const buffer = new RecvBuffer()
  const heard: string[] = []
  const feed = (text: string): void => {
    buffer.append(Buffer.from(text), true)
    for (;;) {
      const incoming = reader.next(buffer, 1) as Incoming | undefined
      if (incoming !== NEED_MORE) heard.push(show(incoming))
      else if (!buffer.more()) break
    }
    buffer.trim()
  }
  for (const text of [
    'PING\r\nPI',
    'NG\r\nMSG a 1',
    ' 1\r\nx\r\nPO',
    'NG\r\n',
    'MSG b',
    ' 2 0\r\n\r\n',
  ])
    feed(text)
  t.same(heard, ['ping', 'ping', 'a 1  [0 ] x', 'pong', 'b 2  [0 ] '])
  reader.forget?.()
  feed('PING\r\n')
  t.equal(heard.at(-1), 'ping')
})
