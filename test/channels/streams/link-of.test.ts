import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { linkOf } from '../../../src/channels/streams/link-of.ts'
import { StreamLink } from '../../../src/channels/streams/stream-link.ts'

t.test('each stream has one, for its whole life', async t => {
  const client = new Client()
  const link = linkOf(client)
  t.ok(link instanceof StreamLink)
  t.equal(linkOf(client), link)
  t.not(linkOf(new Client()), link)
})
