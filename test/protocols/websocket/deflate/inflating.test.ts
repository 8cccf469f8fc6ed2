/** Messages made large again: at once and off the loop, with memory and without, and bombs. */

import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib'
import t from 'tap'
import { AT_ONCE, Inflating } from '../../../../src/protocols/websocket/deflate/inflating.ts'
import { Fault } from '../../../../src/protocols/websocket/incoming.ts'

const deflated = (data: string | Buffer): Buffer =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)

/** Messages of one peer that remembers. */
async function together(messages: readonly (string | Buffer)[], bits = 15): Promise<Buffer[]> {
  const stream = createDeflateRaw({ windowBits: bits })
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const all: Buffer[] = []
  for (const message of messages) {
    stream.write(message)
    await new Promise<void>(done => stream.flush(constants.Z_SYNC_FLUSH, done))
    all.push(Buffer.concat(chunks.splice(0)).subarray(0, -4))
  }
  return all
}

t.test('each message by itself', async t => {
  const inflating = new Inflating(true, 15, 1e6)
  for (const text of ['', 'a', 'hello'.repeat(100), 'x'.repeat(1e6)])
    t.equal(String(await inflating.inflate(deflated(text))), text)
  t.equal(String(inflating.inflate(Buffer.from([0]))), '', 'as Chromium sends an empty one')
})

t.test('with what came before, small and large', async t => {
  // Deno's zlib passes over the dictionary, and every second message was invalid there (1007).
  const large = randomBytes(20_000)
  const messages = ['one and two', 'one and three', large, Buffer.concat([large, large]), 'one and']
  for (const hasDictionary of [undefined, false])
    for (const bits of [9, 15]) {
      const inflating = new Inflating(false, bits, 1e6, hasDictionary)
      for (const [i, bytes] of (await together(messages, bits)).entries())
        t.ok(Buffer.from(messages[i] as string).equals((await inflating.inflate(bytes)) as Buffer))
    }
  t.ok((await together([large]))[0]!.length > AT_ONCE)
})

t.test('a final block does not end the messages of a peer', async t => {
  // The bug of five of seven receivers: the next message was taken for an empty one.
  for (const size of [10, 20_000])
    for (const hasDictionary of [undefined, false]) {
      const text = randomBytes(size).toString('latin1')
      const final = Buffer.concat([deflateRawSync(text), Buffer.from([0])])
      const inflating = new Inflating(false, 15, 1e6, hasDictionary)
      t.equal(String(await inflating.inflate(final)), text)
      const next = deflateRawSync(text, {
        dictionary: Buffer.from(text).subarray(-32768),
        finishFlush: constants.Z_SYNC_FLUSH,
      }).subarray(0, -4)
      t.equal(String(await inflating.inflate(next)), text, 'which refers back')
      t.equal(String(await inflating.inflate(final)), text, 'and again')
    }
  const two = Buffer.concat([deflateRawSync('one '), deflated('two')])
  t.equal(String(new Inflating(true, 15, 100).inflate(two)), 'one two', 'in one message')
  const late = Buffer.concat([deflateRawSync(randomBytes(9000)), deflated('two')])
  t.match(String(await new Inflating(true, 15, 1e5).inflate(late)), /two$/)
})

t.test('a bomb is stopped in the middle', async t => {
  const bomb = deflated(Buffer.alloc(5_000_000))
  t.match(new Inflating(true, 15, 1000).inflate(bomb), { code: 1009 })
  const large = deflated(Buffer.concat([randomBytes(10_000), Buffer.alloc(5_000_000)]))
  t.match(await new Inflating(false, 15, 100_000).inflate(large), { code: 1009 })
  t.equal(String(new Inflating(true, 15, 5).inflate(deflated('12345'))), '12345', 'exactly')
  t.match(new Inflating(true, 15, 4).inflate(deflated('12345')), { code: 1009 })
  const full = Buffer.concat([deflateRawSync('12345'), deflated('6')])
  t.match(new Inflating(true, 15, 5).inflate(full), { code: 1009 })
  for (const hasDictionary of [true, false]) {
    const inflating = new Inflating(false, 15, 5, hasDictionary)
    t.equal(String(inflating.inflate(deflated('12345'))), '12345')
    t.equal(String(inflating.inflate(deflated('12345'))), '12345', 'exactly, behind another')
    t.match(inflating.inflate(deflated('123456')), { code: 1009 })
  }
})

t.test('garbage is a fault', async t => {
  const inflating = new Inflating(false, 15, 1e6)
  t.match(inflating.inflate(Buffer.from([0xff, 0xff, 0xff])), { code: 1007 })
  const fault = await inflating.inflate(Buffer.alloc(20_000, 0xff))
  t.ok(fault instanceof Fault)
})
