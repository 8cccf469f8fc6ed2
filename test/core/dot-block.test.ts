import { Buffer } from 'node:buffer'
import t from 'tap'
import { dot_block } from '../../src/core/dot-block.ts'
import { pick, seeded, streamOf } from './oracle.ts'
import { readAll, readsAsTheOracle, spyOnBuffers } from './reading/reader-kit.ts'

const ROWS: [block: string, bytes: string][] = [
  ['', '.\r\n'],
  ['a\r\n', 'a\r\n.\r\n'],
  ['a\r\nb\r\n', 'a\r\nb\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['.a\r\nb.\r\n..\r\n', '..a\r\nb.\r\n...\r\n.\r\n'],
  ['\r\n', '\r\n.\r\n'],
  ['\r\n.x\r\n', '\r\n..x\r\n.\r\n'],
  ['a\n.\nb\r\n', 'a\n.\nb\r\n.\r\n'],
]

t.test('packs and cuts', async t => {
  for (const [block, bytes] of ROWS) {
    t.equal(dot_block.pack(block).toString(), bytes)
    t.equal(dot_block.pack(Buffer.from(block)).toString(), bytes)
    const stream = Buffer.from(`xx${bytes}.\r\n`)
    const end = stream.length - 3
    const wanted = { size: bytes.length, data: [Buffer.from(block)] }
    t.same(dot_block.cut(stream, 2, end), wanted)
    t.same(dot_block.cut(stream, 2, end, end - 1), wanted, 'only the last byte is new')
    for (let to = 3; to < end; to++) t.equal(dot_block.cut(stream, 2, to), to - 1)
  }
  t.equal(dot_block.pack('a').toString(), 'a\r\n.\r\n', 'the last line gets its end')
  t.throws(() => dot_block.pack(5 as never), {
    code: 'ERR_INVALID_ARGUMENT',
    message: 'dot_block: block must be a string or a Uint8Array; got 5',
  })
})

// A line that ends with \n alone is no line: what a peer hides behind "\n.\n" is not a second
// message (SMTP smuggling).
t.test('only CRLF ends a block', async t => {
  const hidden = 'a\n.\nMAIL FROM:<x>\r\n'
  for (const end of ['\n.\r\n', '\r\n.\n', '\n.\n', '\r.\r\n']) {
    const bytes = Buffer.from(`a${end}b`)
    t.equal(dot_block.cut(bytes, 0, bytes.length), bytes.length + 1, JSON.stringify(end))
  }
  t.same(readAll({ delimiter: dot_block, encoding: 'utf8', limit: 99 }, [dot_block.pack(hidden)]), [
    [hidden],
  ])
})

t.test('PROPERTY: reads do not depend on chunks', async t => {
  readsAsTheOracle(t, 4, [dot_block])
})

t.test('PROPERTY: what is packed is cut', async t => {
  const random = seeded(2)
  const wrong: string[] = []
  for (let round = 0; round < 500; round++) {
    const block = streamOf(random, 1 + random(30), ['.', '\r\n', 'a', '\r', '\n', '.\r\n'])
    const whole = block.subarray(-2).toString() === '\r\n' ? block : Buffer.concat([block, CRLF])
    const packed = dot_block.pack(block)
    const cut = dot_block.cut(packed, 0, packed.length, pick(random, [0, packed.length - 1]))
    if (typeof cut === 'number' || cut.size !== packed.length || !whole.equals(cut.data[0]))
      wrong.push(block.toString())
  }
  t.same(wrong, [])
})

const CRLF = Buffer.from('\r\n')

t.test('a long block is searched once, in any chunks', async t => {
  const block = `${'x'.repeat(60_000)}\r\n`
  const bytes = dot_block.pack(block)
  const chunks = Array.from(bytes, byte => Buffer.of(byte))
  const spy = spyOnBuffers()
  const reads = readAll({ delimiter: dot_block, encoding: null, limit: 100_000 }, chunks)
  spy.stop()
  t.equal(String(reads[0]), block)
  t.ok(spy.touched < 16 * bytes.length, `${spy.touched} bytes for ${bytes.length}`)
})
