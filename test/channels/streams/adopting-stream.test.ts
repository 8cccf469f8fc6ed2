/** What a program hands to a stream: a socket that it has, and bytes that it gives back. */

import { Buffer } from 'node:buffer'
import { join } from 'node:path'
import t from 'tap'
import { Client, Connection, Server } from '../../../src/channels/basic.ts'
import { LIFE } from '../../../src/channels/life.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { Engine } from '../../../src/engine.ts'
import { thrown, turn, until } from '../../kit.ts'
import { kit } from '../link-kit.ts'
import { duplexPair } from './duplex-pair.ts'

class Lines extends Client {
  override read_delimiter: any = '\n'
  override encoding = 'utf8' as const
  reads: string[] = []
  override on_read(line: string): any {
    this.reads.push(line)
  }
}

t.test('adopts a Duplex', async t => {
  const [near, far] = duplexPair()
  const engine = new Engine({ log: message => t.fail(message) })
  const client = new Lines({ engine })
  t.equal(client.adopt(near, Buffer.from('he')), client)
  t.equal(client.state, 'opening')
  client.write('early ')
  t.equal(
    thrown(() => client.adopt(near)),
    'ERR_INVALID_STATE',
  )
  let text = ''
  far.on('data', data => (text += data))
  client.on_connect = () => void client.write('late')
  far.write('ad\nmore\n')
  await client.opened
  await until(() => client.reads.length === 2 && text === 'early late')
  t.same(client.reads, ['head', 'more'])
  client.half_close()
  await until(() => far.readableEnded)
  far.end('bye\n')
  t.equal(await client.closed, 'remote')
  t.same(client.reads, ['head', 'more', 'bye'])
})

// The memory of a chunk was used again when it had gone; the far end had not looked at it yet.
t.test('a long file over a Duplex arrives whole, however late it is read', async t => {
  const content = Buffer.alloc(1 << 20, 'what stands where matters. ')
  const path = join(t.testdir({ file: content }), 'file')
  const [near, far] = duplexPair()
  const client = new Client({ engine: new Engine() }).adopt(near)
  await client.opened
  client.write_file(path)
  client.end()
  const chunks: Buffer[] = []
  for await (const chunk of far) chunks.push(chunk as Buffer)
  t.ok(Buffer.concat(chunks).equals(content))
  // The far end is gone without an end: the process would go on until end_timeout.
  client.close()
})

t.test('what it does not adopt', async t => {
  const client = new Client({ engine: new Engine() })
  t.equal(
    thrown(() => client.adopt({} as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(client.state, 'closed')
  const tls = new Client({ engine: new Engine({ log: () => {} }), tls: {}, handshake_timeout: 1 })
  const [near, far] = duplexPair()
  tls.adopt(near)
  await new Promise(resolve => far.once('data', resolve))
  t.equal(tls.state, 'opening', 'the handshake has begun')
  tls.close()
  await tls.closed
})

t.test('a server adopts, as if it had accepted', async t => {
  const engine = new Engine({ log: message => t.fail(message) })
  class Echo extends Connection {
    override on_read(data: Buffer) {
      this.write(data)
    }
  }
  const server = new Server(Echo, { engine })
  const [near, far] = duplexPair()
  t.throws(() => server.adopt(near), { code: 'ERR_INVALID_STATE', message: /listen\(\) first/ })
  await server.listen(['127.0.0.1', 0]).opened
  server.adopt(near, Buffer.from('head '))
  let text = ''
  far.on('data', data => (text += data))
  far.write('tail')
  await until(() => text === 'head tail')
  t.equal(server.channels.size, 1)
  far.end()
  await until(() => server.channels.size === 0)
  await engine.stop()
})

t.test('peeks, and gives back', async t => {
  const { stream, sink, clock } = await kit(t, Lines)
  const first = stream.peek(2)
  sink.received(Buffer.from('one\ntwo\n'))
  t.same(await first, Buffer.from('on'))
  t.same(await stream.peek(3), Buffer.from('one'))
  // The second one began behind the first, and what followed was read in another order.
  const both = Promise.all([stream.peek(1), stream.peek(2), stream.read(1), stream.peek(2)])
  t.same((await both).map(String), ['o', 'on', 'o', 'ne'])
  t.equal(await stream.read(), 'ne')
  stream.unread(Buffer.from('half '))
  t.equal(await stream.read(), 'half two')
  const odd = stream.peek(2)
  sink.received(Buffer.from([0xff, 0x0a]))
  t.same(await odd, Buffer.from([0xff, 0x0a]), 'bytes, whatever the encoding is')
  await stream.read()
  clock.advance(0)
  stream.unread(Buffer.from('for on_read\n'))
  t.same(stream.reads, [])
  clock.advance(0)
  t.same(stream.reads, ['for on_read'])
  stream.on_read = line => {
    stream.reads.push(line)
    if (line === 'twice') stream.unread(Buffer.from('again\n'))
  }
  sink.received(Buffer.from('twice\nlast\n'))
  t.same(stream.reads.slice(1), ['twice', 'again', 'last'])
  t.equal(
    thrown(() => stream.unread('text' as never)),
    'ERR_INVALID_ARGUMENT',
  )
  const link = stream[LIFE].driver as StreamLink
  link.protocol = {} as never
  t.equal(
    thrown(() => stream.unread(Buffer.from('x'))),
    'ERR_INVALID_STATE',
  )
  link.protocol = undefined
  const bytes = await kit(t, Client, { encoding: null })
  const peeked = bytes.stream.peek(1)
  bytes.sink.received(Buffer.from([255, 1]))
  t.same(await peeked, Buffer.from([255]))
  await turn()
  bytes.stream.close()
  bytes.stream.unread(Buffer.from('x'))
  await t.rejects(bytes.stream.peek(1), { code: 'ERR_CLOSED' })
})

// The bytes were dropped without a word.
t.test('unread before there is a connection', async t => {
  const early = new Client()
  const giveBack = (): void => early.unread(Buffer.from('x'))
  t.throws(giveBack, { code: 'ERR_INVALID_STATE', message: /^unread\(\): / })
  const { stream } = await kit(t, Client)
  stream.close()
  stream.unread(Buffer.from('x'))
})

// It was cut off by the delimiter, and could not be given back: bytes were lost.
t.test('peek: what is no number of bytes', async t => {
  const { stream, sink } = await kit(t, Lines)
  sink.received(Buffer.from('one\n'))
  for (const size of ['\n', /\n/, null, undefined, {}])
    t.throws(() => stream.peek(size as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^peek: size must be a number of bytes; got /,
    })
  t.equal(
    thrown(() => stream.peek(-1)),
    'ERR_INVALID_DELIMITER',
  )
  t.same(stream.reads, ['one'])
})

// A peer that left ended the process: the promise of `peek` was not that of the read.
t.test('peek: a rejection that nobody looks at', async t => {
  const unhandled: unknown[] = []
  const hear = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', hear)
  const { stream } = await kit(t, Client)
  void stream.peek(1)
  void stream.peek(1, { signal: AbortSignal.abort() })
  stream.close()
  await turn()
  await turn()
  process.off('unhandledRejection', hear)
  t.same(unhandled, [])
})
