import { Buffer } from 'node:buffer'
import t from 'tap'
import { type Framing, PayloadReader } from '../../../src/core/reading/payload-reader.ts'
import { NEED_MORE, TOO_LONG } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import type { Encoding } from '../../../src/types.ts'

/** A length of one byte, the payload, and a '.' behind it. */
class Dotted implements Framing {
  readonly needs = 3
  /** How many bytes it was shown, each time. */
  readonly shown: number[] = []

  measure(bytes: Buffer, start: number, end: number): number {
    this.shown.push(end - start)
    return end === start ? 1 : 2 + bytes[start]!
  }

  headOf(): number {
    return 1
  }

  tailOf(): number {
    return 1
  }
}

const open = (encoding: Encoding | null) => {
  const framing = new Dotted()
  return { framing, reader: new PayloadReader(framing, encoding), buffer: new RecvBuffer() }
}

t.test('payloads are views of the chunk, or text in the encoding', async t => {
  const chunk = Buffer.from('\x02ab.\x00.\x01é.', 'latin1')
  const bytes = open(null)
  bytes.buffer.append(chunk)
  const first = bytes.reader.next(bytes.buffer, 100) as Buffer
  t.same(first, Buffer.from('ab'))
  t.equal(first.buffer, chunk.buffer)
  t.same(bytes.reader.next(bytes.buffer, 100), Buffer.alloc(0))
  t.same(bytes.reader.next(bytes.buffer, 100), Buffer.from([0xe9]))
  t.equal(bytes.reader.next(bytes.buffer, 100), NEED_MORE)
  t.equal(bytes.buffer.length, 0)

  const text = open('latin1')
  text.buffer.append(chunk)
  t.equal(text.reader.next(text.buffer, 100), 'ab')
  t.equal(text.reader.next(text.buffer, 100), '')
  t.equal(text.reader.next(text.buffer, 100), 'é')
})

t.test('the framing is asked again when as much is there as it has asked for', async t => {
  const { framing, reader, buffer } = open('latin1')
  buffer.append(Buffer.from('\x03a', 'latin1'))
  t.equal(reader.next(buffer, 100), NEED_MORE)
  for (const more of ['b', 'c']) {
    buffer.append(Buffer.from(more))
    while (buffer.more());
    t.equal(reader.next(buffer, 100), NEED_MORE)
  }
  buffer.append(Buffer.from('.'))
  while (buffer.more());
  t.equal(reader.next(buffer, 100), 'abc')
  t.same(framing.shown, [2, 5])

  t.comment('a change of settings: another reader may have cut in between')
  buffer.append(Buffer.from('\x03a', 'latin1'))
  t.equal(reader.next(buffer, 100), NEED_MORE)
  reader.giveBack()
  t.equal(reader.next(buffer, 100), NEED_MORE)
  t.same(framing.shown.slice(2), [2, 2])
})

t.test('too long: as soon as it is known, with the size; never below what it needs', async t => {
  const { reader, buffer } = open(null)
  buffer.append(Buffer.from('\x03abc.', 'latin1'))
  t.equal(reader.next(buffer, 4), TOO_LONG)
  t.equal(reader.stated, 5)
  t.same(reader.next(buffer, 5), Buffer.from('abc'))
  t.equal(reader.needs, 3)
  buffer.append(Buffer.from('\x01a.', 'latin1'))
  t.same(reader.next(buffer, 1), Buffer.from('a'))
})

// Memory that a network uses again was copied for each read, although text keeps none of it.
t.test('lent memory is copied for bytes, and not for text', async t => {
  for (const [encoding, isKept] of [
    [null, false],
    ['latin1', true],
  ] as const) {
    const { reader, buffer } = open(encoding)
    const lent = Buffer.from('\x01a.', 'latin1')
    buffer.append(lent, true)
    const read = reader.next(buffer, 100)
    t.equal(buffer.bytes === lent, isKept)
    lent.fill('x')
    t.equal(String(read), 'a')
  }
})
