/** Compression of a connection, both ways. */

import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Compression } from '../../../../src/protocols/websocket/deflate/compression.ts'
import {
  deflateRules,
  type DeflateRules,
} from '../../../../src/protocols/websocket/deflate/deflate-options.ts'
import { Deflated } from '../../../../src/protocols/websocket/incoming.ts'
import { SERVER_PACKERS } from '../../../../src/protocols/websocket/outgoing.ts'
import { FakeTransport } from '../../../channels/link-kit.ts'

function made(isServer: boolean): Compression {
  const terms = { server: { forgets: true, bits: 15 }, client: { forgets: true, bits: 9 } }
  return new Compression(
    { terms, rules: deflateRules({ threshold: 10 }) as DeflateRules },
    isServer,
    1e6,
  )
}

const { text } = SERVER_PACKERS

t.test('what is compressed', async t => {
  const compression = made(true)
  t.equal(compression.pack('short', undefined, text), undefined)
  t.equal(compression.pack('long enough', false, text), undefined)
  t.equal(compression.pack('', true, text), undefined)
  for (const data of ['long enough', Buffer.alloc(10)])
    t.equal(compression.pack(data, undefined, text)?.size, data.length)
  t.equal(compression.pack('short', true, text)?.size, 5)
  compression.close()
})

t.test('there and back', async t => {
  const [server, client] = [made(true), made(false)]
  const random = randomBytes(30_000)
  for (const [data, isText] of [
    ['häl'.repeat(10), true],
    [random, false],
  ] as const) {
    const frames: Uint8Array[] = []
    const transport = new FakeTransport()
    transport.write = bytes => (frames.push(bytes as Uint8Array), true)
    const item = server.pack(data, true, text)!
    await new Promise<void>(resolve => {
      if (item.send(transport, resolve) === 'sent') resolve()
    })
    if (frames.length === 0) item.send(transport, () => {})
    const frame = Buffer.from(frames[0]!)
    const payload = frame.subarray(frame[1]! < 126 ? 2 : 4)
    t.same(await client.unpack(new Deflated(isText, payload)), data)
  }
})

t.test('text must be UTF-8 when it is large again', async t => {
  const client = made(false)
  // A stored block with the byte 0xff.
  const bad = Buffer.from([0, 1, 0, 0xfe, 0xff, 0xff, 0])
  t.match(client.unpack(new Deflated(true, bad)), { code: 1007 })
  t.same(client.unpack(new Deflated(false, bad)), Buffer.from([0xff]))
  t.match(client.unpack(new Deflated(true, Buffer.from([0xff]))), { code: 1007 })
})
