/** become(): how the next read is cut, whether it is text, and what gets it. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection } from '../../../src/channels/basic.ts'
import { LIFE } from '../../../src/channels/life.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import type { StreamProtocol } from '../../../src/channels/streams/stream-protocol.ts'
import { pair } from '../../../src/testing.ts'
import { chunked, seeded } from '../../core/oracle.ts'
import { kit } from '../link-kit.ts'

/** A line says how many bytes follow. */
class Counted extends Client {
  readonly got: unknown[] = []
  override on_connect() {
    this.become('\n', this.on_size, { encoding: 'utf8' })
  }
  on_size(line: string) {
    this.got.push(line)
    this.become(Number(line), this.on_body, { encoding: null })
  }
  on_body(body: Buffer) {
    this.got.push(body)
    this.become('\n', this.on_size, { encoding: 'utf8' })
  }
}

// The body of length 0 was ERR_INVALID_DELIMITER: a valid message closed the connection.
t.test('states, cut anywhere', async t => {
  const random = seeded(1)
  const stream = Buffer.from('3\nabc0\n0\n2\nde4\nfghi0\n')
  const body = (text: string) => Buffer.from(text)
  const wanted = ['3', body('abc'), '0', body(''), '0', body(''), '2', body('de'), '4']
  for (let round = 0; round < 30; round++) {
    const { stream: client, sink } = await kit(t, Counted)
    for (const chunk of chunked(stream, () => 1 + random(4))) sink.received(chunk)
    t.same(client.got, [...wanted, body('fghi'), '0', body('')])
  }
})

t.test('a hook is called with the stream, and without one it is on_read again', async t => {
  const { stream, sink, news } = await kit(t, Client)
  const seen: unknown[] = []
  stream.become(2, function (data) {
    seen.push(this === stream, String(data))
    if (seen.length === 4) this.become(1)
  })
  sink.received(Buffer.from('abcdef'))
  t.same(seen, [true, 'ab', true, 'cd'])
  t.same(news(), ['read e', 'read f'])
})

t.test('what it throws, and its promise, are those of a hook', async t => {
  const errors: string[] = []
  let settle!: () => void
  class States extends Connection {
    override on_connect() {
      this.become(1, async () => new Promise<void>(resolve => (settle = resolve)))
    }
    override on_error(error: Error) {
      errors.push(error.message)
    }
  }
  const { client, connection, pump } = await pair({ connection: States })
  client.write('abc')
  await pump()
  connection.become(1, data => {
    throw new Error(String(data))
  })
  await pump()
  t.same(errors, [], 'the promise holds the next read')
  settle()
  await pump()
  t.same(errors, ['b', 'c'])
})

t.test('an empty read without a byte, set outside of a hook', async t => {
  const { stream, sink, clock, news } = await kit(t, Client, { encoding: 'utf8' })
  stream.become(0)
  t.same(news(), [], 'no hook runs inside a call')
  clock.advance(0)
  t.same(news(), ['read'])
  stream.read_delimiter = 0
  stream.read_delimiter = 0
  clock.advance(0)
  t.same(news(), ['read'], 'once a turn')
  stream.buffer_size = 5
  clock.advance(0)
  sink.received(Buffer.from('abc'))
  t.same(news(), [])
  stream.read_delimiter = 3
  clock.advance(0)
  t.same(news(), ['read abc'])
})

t.test('it lasts for the opening', async t => {
  const reads: string[] = []
  class Reader extends Client {
    override encoding = 'utf8' as const
    override on_read(data: string) {
      reads.push(`on_read ${data}`)
    }
  }
  const { client, connection, server, pump } = await pair({ client: Reader })
  client.become(3, data => void reads.push(`hook ${data}`), { encoding: null })
  t.equal(client.encoding, null)
  connection.write('abcde')
  await pump()
  connection.close()
  await pump()
  client.connect(1)
  await pump()
  t.match(client, { encoding: 'utf8', read_delimiter: null })
  ;[...server.channels][0]!.write('xyz')
  await pump()
  t.same(reads, ['hook abc', 'on_read xyz'])
  client.close()
  client.become(3, () => {})
  await pump()
  t.doesNotThrow(() => client.become(3, () => {}), 'after closing it does nothing')
  t.equal(client.read_delimiter, null)
})

t.test('invalid calls change nothing', async t => {
  const { client } = await pair()
  client.become('\n', () => {}, { encoding: 'latin1' })
  const rows: [call: () => void, code: string, message: RegExp][] = [
    [() => client.become(-1), 'ERR_INVALID_DELIMITER', /count of bytes/],
    [() => client.become(1, 5 as never), 'ERR_INVALID_ARGUMENT', /become: hook must be a function/],
    [
      () => client.become(1, () => {}, { encoding: 'utf9' as never }),
      'ERR_INVALID_ARGUMENT',
      /become: encoding must be an encoding/,
    ],
    [() => client.become(1, () => {}, { enc: 1 } as never), 'ERR_INVALID_ARGUMENT', /no option/],
    [() => new Client().become(1), 'ERR_INVALID_STATE', /become\(\): the stream is not connected/],
  ]
  for (const [call, code, message] of rows) t.throws(call, { code, message })
  t.match(client, { read_delimiter: '\n', encoding: 'latin1' })
})

t.test('a protocol of its own cuts its reads itself', async t => {
  const { client } = await pair()
  ;(client[LIFE].driver as StreamLink).protocol = {} as StreamProtocol
  t.throws(() => client.become('\n'), { code: 'ERR_INVALID_STATE' })
  t.throws(() => client.unread(Buffer.from('x')), { code: 'ERR_INVALID_STATE' })
})
