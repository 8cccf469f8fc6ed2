/** What can be asked of the link of a stream. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { LIFE } from '../../../src/channels/life.ts'
import type { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { Engine } from '../../../src/engine.ts'
import { kit } from '../link-kit.ts'

t.test('while it is open, and after', async t => {
  const { stream, sink, transport, news } = await kit(t, Client, { read_delimiter: '\n' })
  const link = sink as StreamLink
  t.same(
    [link.fileno, link.bytes_queued, link.bytes_read, link.bytes_gone, link.wasAttached],
    [3, 0, 4, 5, true],
  )
  ;(transport as { bytes_gone?: number }).bytes_gone = 6
  t.equal(link.bytes_gone, 6)
  t.equal(link.address(), 'there:2')
  sink.received(Buffer.from('half'))
  stream.write('abc')
  t.same([link.weight, link.values.read_delimiter], [7, '\n'])
  t.same(link.gauge(), { kind: 'stream', bytes_read: 4, bytes_written: 5, bytes_held: 7 })
  stream.on_error = () => {}
  link.crowded(5)
  t.same(news(), ['overflow_error ERR_OVERFLOW'])
  stream.close()
  sink.closed()
  t.same([link.fileno, link.bytes_gone, link.told.remote_address], [undefined, 5, ['there', 2]])
})

t.test('before there is any connection', async t => {
  const link = new Client({ engine: new Engine() })[LIFE].driver as StreamLink
  t.same(
    [link.fileno, link.bytes_queued, link.bytes_gone, link.wasAttached],
    [undefined, 0, 0, false],
  )
  t.equal(link.address(), '')
})

t.test('may it write, and is the peer heard?', async t => {
  const { sink } = await kit(t, Client)
  const link = sink as StreamLink
  const told = () => [link.mayWrite, link.isSideOpen, link.isListening()]
  t.same(told(), [true, true, false])
  link.ending = 'halved'
  t.same(told(), [false, false, true])
  link.ending = 'halving'
  t.same(told(), [false, false, true])
  link.ending = 'parting'
  t.same(told(), [false, false, true])
  link.ending = 'sent'
  t.same(told(), [false, false, false])
  const { sink: connecting } = await kit(t, Client, {}, false)
  const early = connecting as StreamLink
  t.equal(early.mayWrite, true, 'while it connects')
  early.protocol = {} as never
  t.equal(early.mayWrite, false)
  early.protocol = undefined
  ;(early as { isAccepted: boolean }).isAccepted = true
  t.equal(early.mayWrite, false, 'it was accepted')
})
