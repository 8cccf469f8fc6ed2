/** What both sides have in common while they shake hands: memory, time, the end. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { HandshakeError } from '../../../src/protocols/websocket/errors.ts'
import { Handshake } from '../../../src/protocols/websocket/handshake.ts'
import type { Head, HeadFault } from '../../../src/protocols/websocket/head.ts'
import { error, type FakeTransport, kit, type Kit } from '../../channels/link-kit.ts'

class Shaking extends Handshake {
  readonly heads: unknown[] = []
  read(head: Head): void {
    this.heads.push(head.line)
  }
  wrong(fault: HeadFault): void {
    this.heads.push(fault.status)
  }
  heardNothing(): void {
    this.heads.push('nothing')
  }
}

async function made(
  options: object = {},
): Promise<Kit<Client> & { shaking: Shaking; transport: FakeTransport }> {
  const all = await kit(t, Client, { handshake_timeout: 500, ...options }, false)
  const link = all.sink as StreamLink
  const shaking = new Shaking(link)
  shaking.start()
  return Object.assign(all, { shaking })
}

t.test('heads, and what stands behind them', async t => {
  const { shaking, transport } = await made()
  t.equal(transport.news, 'resume')
  t.equal(transport.sink, shaking)
  shaking.opened()
  shaking.drained()
  shaking.received(Buffer.from('a\r'))
  shaking.received(Buffer.from('\n\r\nb\r\n'))
  shaking.received(Buffer.from('\r\nrest'))
  t.same([shaking.heads, shaking.rest.toString()], [['a'], 'b\r\n\r\nrest'])
  shaking.readAgain()
  t.same([shaking.heads, shaking.rest.toString()], [['a', 'b'], 'rest'])
  shaking.stop()
  t.equal(transport.sink, shaking.link)
  shaking.stop()
  t.equal(shaking.isOver, true)
})

t.test('with nothing behind it yet; and one that is wrong', async t => {
  const { shaking } = await made()
  shaking.received(Buffer.from('a\r\n\r\n'))
  shaking.readAgain()
  shaking.received(Buffer.from('b\n'))
  t.same(shaking.heads, ['a', 400])
  shaking.ended()
  shaking.closed()
  t.equal(shaking.hasEnded, true)
})

t.test('memory that is lent is copied', async t => {
  const { shaking, transport } = await made()
  ;(transport as { lends_chunks?: boolean }).lends_chunks = true
  const chunk = Buffer.from('a\r\n\r\nrest')
  shaking.received(chunk)
  chunk.fill(0)
  t.equal(shaking.rest.toString(), 'rest')
})

t.test('what was kept, and what still comes, may be dropped', async t => {
  const { shaking } = await made()
  shaking.received(Buffer.from('a\r\n\r\nrest'))
  shaking.drop()
  shaking.received(Buffer.from('more'))
  t.equal(shaking.rest.length, 0)
})

t.test('it is bounded in time, unless it is not to be', async t => {
  const { stream, clock, news } = await made()
  stream.on_timeout = kind => void news().push(kind)
  clock.advance(499)
  t.same(news(), [])
  let told = 0
  stream.on_timeout = () => void told++
  // Many share a timer, which comes up to an eighth late.
  clock.advance(62)
  t.equal(told, 1)
  clock.advance(499)
  clock.advance(62)
  t.equal(told, 2, 'if on_timeout lets it go on, the time begins anew')
  const forever = await made({ handshake_timeout: Infinity, connect_timeout: Infinity })
  forever.clock.advance(1_000_000)
  t.same(forever.news(), [])
})

t.test('it waits for something else instead', async t => {
  const { shaking, stream, clock } = await made()
  stream.on_timeout = () => void t.fail('it does not wait for the handshake any more')
  t.equal(shaking.look(499), 500, 'too early')
  let told = 0
  shaking.waitFor(2000, () => void told++)
  clock.advance(1999)
  t.equal(told, 0)
  clock.advance(251)
  t.equal(told, 1)
  clock.advance(10_000)
  t.equal(told, 1, 'once')
})

t.test('failures are told to one hook', async t => {
  const one = await made()
  one.shaking.failed(error('ECONNRESET', 'read'))
  t.match(one.news(), ['connect_error ECONNRESET', /^error/])
  const two = await made()
  two.shaking.fail(new HandshakeError('why'))
  t.match(two.news(), ['connect_error ERR_WEBSOCKET_HANDSHAKE', /^error/])
  const three = await made()
  three.shaking.received(Buffer.from('a'))
  three.shaking.ended()
  t.match(three.news(), ['connect_error ERR_WEBSOCKET_HANDSHAKE', /^error/])
  const four = await made()
  four.shaking.ended()
  t.same(four.news(), [])
  four.shaking.closed()
  t.same(four.news(), ['close remote'])
})

t.test('a failure after a response that was told already is not told again', async t => {
  const { shaking, news } = await made()
  shaking.gone = () => shaking.stop()
  shaking.failed(error('ECONNRESET', 'read'))
  t.same(news(), [])
})
