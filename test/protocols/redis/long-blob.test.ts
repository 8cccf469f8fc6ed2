import { Buffer } from 'node:buffer'
import t from 'tap'
import { LongBlob } from '../../../src/protocols/redis/long-blob.ts'

const CHUNK = 64 * 1024

/** The value that comes of these bytes, in chunks of a size. */
function collect(bytes: Buffer, isText: boolean, chunk = CHUNK): string | Buffer {
  const blob = new LongBlob(bytes.length, isText)
  for (let at = 0; at < bytes.length;)
    at += blob.take(bytes, at, Math.min(bytes.length, at + chunk))
  t.equal(blob.left, 0)
  return blob.value()
}

t.test('bytes and text, of many sizes, in any chunks', async t => {
  const text = 'a€😀é'.repeat(400_000)
  const bytes = Buffer.from(text)
  for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 8 * CHUNK + 3, 3_000_001]) {
    const part = bytes.subarray(0, size)
    for (const chunk of [CHUNK, 7777]) {
      t.ok(part.equals(collect(part, false, chunk) as Buffer), `${size} bytes`)
      t.equal(collect(part, true, chunk), part.toString(), `${size} bytes of text`)
    }
  }
  const plain = 'x'.repeat(3_000_000)
  t.equal(collect(Buffer.from(plain), true), plain)
})

t.test('what is no text is shown as Buffer shows it', async t => {
  const bytes = Buffer.alloc(3 * CHUNK, 0x80)
  t.equal(collect(bytes, true), bytes.toString())
})

t.test('it takes no more than its own bytes', async t => {
  const blob = new LongBlob(3, true)
  t.equal(blob.take(Buffer.from('..abcdef'), 2, 8), 3)
  t.equal(blob.value(), 'abc')
})

t.test('512 MiB that were only announced are not allocated', async t => {
  const before = process.memoryUsage().arrayBuffers
  const blob = new LongBlob(2 ** 29, false)
  blob.take(Buffer.alloc(10), 0, 10)
  t.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
})

t.test('all memory of a value together is little more than the value', async t => {
  const size = 50_000_000
  const chunk = Buffer.alloc(CHUNK)
  for (const isText of [false, true]) {
    const before = process.memoryUsage()
    const blob = new LongBlob(size, isText)
    while (blob.left > 0) blob.take(chunk, 0, CHUNK)
    const { external, heapUsed } = process.memoryUsage()
    t.equal(blob.value().length, size)
    // Also if nothing was collected meanwhile.
    const used = external + heapUsed - before.external - before.heapUsed
    t.ok(used < 1.3 * size, `${used} bytes`)
  }
})
