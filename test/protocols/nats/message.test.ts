/** A message: its parts, its answer, and what it keeps in memory. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { NatsMessage } from '../../../src/protocols/nats/message.ts'

const TEXT = 'xxMSG a.b 1 in.box 9\r\nNATS/1.0 503 No\r\nA: 1\r\n\r\n{"ä":1}\r\nyy'

function made(text: string, published: unknown[][] = []): NatsMessage {
  const bytes = Buffer.from(text)
  const at = (part: string): number => bytes.indexOf(part)
  const publisher = {
    publish: (...args: unknown[]): boolean => published.push(args) > 0,
  }
  const reply = text.includes('in.box') ? at('in.box') : 0
  const header = at('\n') + 1
  const data = at('{')
  return new NatsMessage(
    publisher,
    7,
    bytes,
    at('a.b'),
    at('a.b') + 3,
    reply,
    reply === 0 ? 0 : reply + 6,
    text.includes('NATS/') ? header : data,
    data,
    at('}') + 1,
  )
}

t.test('the parts, as it came and after it was detached', async t => {
  const one = made(TEXT)
  for (const message of [one, one.detach()]) {
    t.same([message.sid, message.subject, message.reply], [7, 'a.b', 'in.box'])
    t.same([message.text, String(message.data), message.json()], ['{"ä":1}', '{"ä":1}', { ä: 1 }])
    t.same([message.status, message.description], [503, 'No'])
    t.same([message.header('A'), message.header('B')], ['1', undefined])
    t.same([...message.headers], [['A', ['1']]])
    t.equal(
      message.size,
      Buffer.byteLength('a.b 1 in.box 9\r\nNATS/1.0 503 No\r\nA: 1\r\n\r\n{"ä":1}'),
    )
  }
})

t.test('a detached message lets go of what came with it', async t => {
  const message = made(`${TEXT}${'z'.repeat(100_000)}`)
  t.ok(message.data.buffer.byteLength > 100_000)
  // A small Buffer is a part of a pool, which has 64 KiB since Node 24.
  t.ok(message.detach().data.buffer.byteLength < 100_000)
})

t.test('answers', async t => {
  const published: unknown[][] = []
  const message = made(TEXT, published)
  t.equal(message.respond('yes', { headers: { a: 'b' } }), true)
  t.equal(message.respond(), true)
  t.same(published, [
    ['in.box', 'yes', { headers: { a: 'b' } }],
    ['in.box', '', {}],
  ])
})

t.test('without a header and a reply', async t => {
  const message = made('MSG a.b 1 2\r\n{}\r\n')
  t.same([message.reply, message.status, message.description, message.headers.size], ['', 0, '', 0])
  t.equal(message.respond('x'), false)
})
