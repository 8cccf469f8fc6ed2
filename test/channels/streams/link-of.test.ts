import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { linkOf } from '../../../src/channels/streams/link-of.ts'
import { StreamLink } from '../../../src/channels/streams/stream-link.ts'
import { kit } from '../link-kit.ts'

t.test('each stream has one, for its whole life', async t => {
  const client = new Client()
  const link = linkOf(client)
  t.ok(link instanceof StreamLink)
  t.equal(linkOf(client), link)
  t.not(linkOf(new Client()), link)
})

t.test('in a hook of a stream that receives', async t => {
  const { stream, sink } = await kit(t, Client)
  stream.on_read = () => t.equal(linkOf(stream), sink)
  sink.received(Buffer.from('a'))
  t.equal(linkOf(stream), sink)
})
