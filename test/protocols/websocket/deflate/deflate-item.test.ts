/** A message that is compressed in its turn. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { DeflateItem } from '../../../../src/protocols/websocket/deflate/deflate-item.ts'
import type { Deflated, Deflating } from '../../../../src/protocols/websocket/deflate/deflating.ts'
import { SERVER_PACKERS } from '../../../../src/protocols/websocket/outgoing.ts'
import { FakeTransport } from '../../../channels/link-kit.ts'

function made() {
  let done!: Deflated
  const deflating = { deflate: (_bytes: Uint8Array, callback: Deflated) => (done = callback) }
  const item = new DeflateItem(
    Buffer.from('abcd'),
    deflating as unknown as Deflating,
    SERVER_PACKERS.text,
  )
  const transport = new FakeTransport()
  let woken = 0
  const send = (): string => item.send(transport, () => woken++)
  return {
    item,
    transport,
    send,
    done: (...args: Parameters<Deflated>) => done(...args),
    woken: () => woken,
  }
}

t.test('it waits, and is sent', async t => {
  const { item, transport, send, done, woken } = made()
  t.same([item.size, item.isLong], [4, false])
  t.equal(send(), 'starved')
  t.equal(send(), 'starved')
  done(null, Buffer.from('x'))
  t.equal(woken(), 1)
  t.equal(send(), 'sent')
  t.equal(transport.news, `write ${Buffer.from([0x81, 1])}x`)
})

t.test('it fails, or is dropped', async t => {
  const failed = made()
  failed.send()
  failed.done(new Error('zlib'))
  t.throws(failed.send, /zlib/)
  const dropped = made()
  dropped.send()
  dropped.item.drop()
  dropped.done(null, Buffer.from('x'))
  t.equal(dropped.woken(), 0)
})
