/**
 * Frames become messages. Whatever is sent is read by a slow, obviously right reader, too; and
 * however the bytes are cut into chunks, the messages are the same.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { NEED_MORE, READER, type Reader } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import {
  Control,
  Deflated,
  Fault,
  type Incoming,
} from '../../../src/protocols/websocket/incoming.ts'
import {
  Frames,
  framesFor,
  type ReceiverOptions,
} from '../../../src/protocols/websocket/receiver.ts'
import { chunkings, pick, type Random, seeded } from '../../core/oracle.ts'
import { frame, type FrameOptions, KEY, masked } from './kit.ts'

const OPTIONS: ReceiverOptions = { isMasked: true, isDeflated: false, maxSize: 1 << 20 }

function readerOf(options: Partial<ReceiverOptions> = {}): Reader {
  return new Frames({ ...OPTIONS, ...options })[READER]()
}

/** As one line a message. */
function show(incoming: Incoming): string {
  if (typeof incoming === 'string') return `text ${incoming}`
  if (incoming instanceof Control) return `control ${incoming.opcode} ${incoming.payload}`
  if (incoming instanceof Deflated) return `deflated ${incoming.isText} ${incoming.bytes}`
  if (incoming instanceof Fault) return `fault ${incoming.code} ${incoming.reason}`
  return `bytes ${incoming.toString('latin1')}`
}

/** Feeds a reader as the read path does. */
function feed(reader: Reader, buffer: RecvBuffer, chunk: Buffer, isLent = false): string[] {
  const news: string[] = []
  buffer.append(Buffer.from(chunk), isLent)
  for (;;) {
    const incoming = reader.next(buffer, 1) as Incoming | undefined
    if (incoming !== NEED_MORE) news.push(show(incoming))
    else if (!buffer.more()) break
  }
  buffer.trim()
  return news
}

function readAll(
  chunks: readonly Buffer[],
  options: Partial<ReceiverOptions> = {},
  isLent = false,
): string[] {
  const reader = readerOf(options)
  const buffer = new RecvBuffer()
  return chunks.flatMap(chunk => feed(reader, buffer, chunk, isLent))
}

// ---- what is right ------------------------------------------------------------------------------

t.test('text and bytes, of every length of a header, to a server and to a client', async t => {
  for (const length of [0, 1, 5, 125, 126, 127, 4096, 65535, 65536, 100_000]) {
    for (const payload of [
      'x'.repeat(length),
      Buffer.alloc(length, 0xfe),
      'ä'.repeat(length / 2),
    ]) {
      const wanted = typeof payload === 'string' ? payload : payload.toString('latin1')
      const kind = typeof payload === 'string' ? 'text' : 'bytes'
      t.same(readAll([masked(payload)]), [`${kind} ${wanted}`], `${kind} of ${length} to a server`)
      t.same(readAll([frame(payload)], { isMasked: false }), [`${kind} ${wanted}`])
    }
  }
})

t.test('many messages in a chunk, each delivered by itself', async t => {
  const texts = Array.from({ length: 100 }, (_, i) => `message ${i}`)
  t.same(
    readAll([Buffer.concat(texts.map(text => masked(text)))]),
    texts.map(text => `text ${text}`),
  )
  const mixed = ['a', 'é', Buffer.from('x'), 'b', '', Buffer.alloc(0), 'z'.repeat(200), '€']
  t.same(
    readAll([Buffer.concat(mixed.map(each => masked(each)))]),
    mixed.map(each => (typeof each === 'string' ? `text ${each}` : `bytes ${each}`)),
  )
})

t.test('fragments, with control frames between them', async t => {
  const bytes = Buffer.concat([
    masked('one ', { fin: false }),
    masked('ping', { opcode: 9 }),
    masked('two ', { fin: false, opcode: 0 }),
    masked('', { fin: false, opcode: 0 }),
    masked('pong', { opcode: 10 }),
    masked('three', { opcode: 0 }),
    masked('whole'),
  ])
  const wanted = ['control 9 ping', 'control 10 pong', 'text one two three', 'text whole']
  t.same(readAll([bytes]), wanted)
  t.same(readAll(Array.from(bytes, byte => Buffer.from([byte]))), wanted, 'byte by byte')
})

t.test('a character may be cut by fragments', async t => {
  const [a, b, c, d] = Buffer.from('😀')
  t.same(
    readAll([
      masked(Buffer.from([a!]), { opcode: 1, fin: false }),
      masked(Buffer.from([b!, c!]), { opcode: 0, fin: false }),
      masked(Buffer.from([d!]), { opcode: 0 }),
    ]),
    ['text 😀'],
  )
})

t.test('compressed messages, also in fragments, if they were agreed on', async t => {
  const bytes = Buffer.concat([
    masked('abc', { rsv: 4 }),
    masked(Buffer.from('d'), { rsv: 4, fin: false }),
    masked('e', { opcode: 0 }),
    masked('plain'),
  ])
  t.same(readAll([bytes], { isDeflated: true }), [
    'deflated true abc',
    'deflated false de',
    'text plain',
  ])
})

// ---- what is wrong ------------------------------------------------------------------------------

const LONG_PING = 'x'.repeat(126)

/** What is sent, the fault, and how many bytes are enough to know it. */
const FAULTS: [title: string, bytes: Buffer, fault: string, after: number][] = [
  ['not masked', frame('a'), '1002 a client must mask', 2],
  ['RSV1', masked('a', { rsv: 4 }), '1002 a reserved bit is set', 2],
  ['RSV2', masked('a', { rsv: 2 }), '1002 a reserved bit is set', 2],
  ['RSV3', masked('a', { rsv: 1 }), '1002 a reserved bit is set', 2],
  ['opcode 3', masked('a', { opcode: 3 }), '1002 opcode 3 is unknown', 2],
  ['opcode 7', masked('a', { opcode: 7 }), '1002 opcode 7 is unknown', 2],
  ['opcode 11', masked('a', { opcode: 11 }), '1002 opcode 11 is unknown', 2],
  ['opcode 15', masked('a', { opcode: 15 }), '1002 opcode 15 is unknown', 2],
  [
    'a ping in fragments',
    masked('a', { opcode: 9, fin: false }),
    '1002 a control frame must not be fragmented',
    2,
  ],
  [
    'a long ping',
    masked(LONG_PING, { opcode: 9 }),
    '1002 a control frame has at most 125 bytes',
    2,
  ],
  [
    'a continuation of nothing',
    masked('a', { opcode: 0 }),
    '1002 there is no message to be continued',
    2,
  ],
  [
    'a message inside a message',
    Buffer.concat([masked('a', { fin: false }), masked('b')]),
    '1002 the message before must be continued first',
    9,
  ],
  [
    'two bytes for a short length',
    masked('a', { form: 3 }),
    '1002 a length must be written in its shortest form',
    8,
  ],
  [
    'eight bytes for a short length',
    masked('a', { form: 9 }),
    '1002 a length must be written in its shortest form',
    14,
  ],
  ['too long', masked('x'.repeat(101)), '1009 a message has at most 100 bytes', 6],
  [
    'too long with the next fragment',
    Buffer.concat([masked('x'.repeat(60), { fin: false }), masked('x'.repeat(60), { opcode: 0 })]),
    '1009 a message has at most 100 bytes',
    72,
  ],
  [
    'longer than any number',
    Buffer.from('82ffffffffffffffffff00000000', 'hex'),
    '1009 a message has at most 100 bytes',
    14,
  ],
  ['no UTF-8', masked(Buffer.from('ab\xffcd', 'latin1'), { opcode: 1 }), '1007 a text message', 9],
  [
    'half a character at the end',
    masked(Buffer.from('ab\xc3', 'latin1'), { opcode: 1 }),
    '1007 a text message',
    9,
  ],
  [
    'no UTF-8 in a fragment',
    Buffer.concat([
      masked(Buffer.from('ab\xc3', 'latin1'), { opcode: 1, fin: false }),
      masked(Buffer.from('xx'), { opcode: 0 }),
    ]),
    '1007 a text message',
    16,
  ],
]

t.test('what is wrong is told once, as soon as it can be known; nothing follows it', async t => {
  for (const [title, bytes, fault, after] of FAULTS) {
    const options = { maxSize: 100 }
    const all = readAll([Buffer.concat([masked('good'), bytes, masked('good')])], options)
    t.equal(all[0], 'text good')
    t.equal(all.length, 2, title)
    t.ok(all[1]?.startsWith(`fault ${fault}`), `${title}: ${all[1]}`)

    const reader = readerOf(options)
    const buffer = new RecvBuffer()
    let known = 0
    for (const byte of bytes) {
      known++
      if (feed(reader, buffer, Buffer.from([byte])).some(each => each.startsWith('fault'))) break
    }
    t.equal(known, after, `${title}: known after ${after} bytes`)
    t.ok((reader.held as number) > 0, 'it must not be used for another connection')
    t.same(feed(reader, buffer, masked('later')), [])
    reader.forget!()
    t.equal(reader.held, 0)
    t.same(feed(reader, buffer, masked('new')), ['text new'])
  }
})

t.test('a server must not mask', async t => {
  t.same(readAll([masked('a')], { isMasked: false }), ['fault 1002 a server must not mask'])
})

t.test('compression: no RSV1 on a control frame or on a continuation', async t => {
  const isDeflated = true
  t.same(readAll([masked('a', { rsv: 4, opcode: 9 })], { isDeflated }), [
    'fault 1002 a reserved bit is set',
  ])
  t.same(
    readAll([masked('a', { rsv: 4, fin: false }), masked('a', { rsv: 4, opcode: 0 })], {
      isDeflated,
    }),
    ['fault 1002 a reserved bit is set'],
  )
})

t.test('a message of exactly the size; empty fragments are counted by their headers', async t => {
  const options = { maxSize: 100 }
  const full = masked('x'.repeat(100))
  t.same(readAll([full], options), [`text ${'x'.repeat(100)}`])
  t.same(
    readAll(
      Array.from(full, byte => Buffer.from([byte])),
      options,
    ),
    [`text ${'x'.repeat(100)}`],
  )
  const empty = masked('', { opcode: 0, fin: false })
  const first = masked('', { fin: false })
  const flood = Buffer.concat([first, ...Array.from({ length: 20 }, () => empty)])
  t.same(readAll([flood], options), ['fault 1009 a message has at most 100 bytes'])
  t.same(readAll([first, ...Array.from({ length: 16 }, () => empty)], options), [])
})

// ---- memory -------------------------------------------------------------------------------------

t.test('a large frame that has not come takes no memory', async t => {
  const reader = readerOf()
  feed(reader, new RecvBuffer(), masked(Buffer.alloc(1_000_000)).subarray(0, 20))
  t.ok((reader.held as number) < 5000, `${reader.held}`)
})

t.test('it has a state only in the middle of a message', async t => {
  const reader = readerOf()
  const buffer = new RecvBuffer()
  t.equal(reader.held, 0)
  feed(reader, buffer, masked('', { fin: false }))
  t.equal(reader.held, 2, 'an empty first fragment')
  feed(reader, buffer, masked('', { opcode: 0 }))
  t.equal(reader.held, 0)
  feed(reader, buffer, masked('abc').subarray(0, 8))
  t.ok((reader.held as number) > 0)
  reader.forget!()
  t.same([reader.held, feed(reader, buffer, masked('next'))], [0, ['text next']])
})

t.test('what was looked at and not delivered is given back as it came', async t => {
  for (const options of [{}, { isMasked: false }]) {
    const { isMasked } = { ...OPTIONS, ...options }
    const one = (text: string): Buffer => frame(text, { key: isMasked ? KEY : undefined })
    const bytes = Buffer.concat(['one', 'two', 'three'].map(one))
    const reader = readerOf(options)
    const buffer = new RecvBuffer()
    buffer.append(Buffer.from(bytes))
    t.equal(reader.next(buffer, 1), 'one')
    reader.giveBack(buffer)
    t.ok(buffer.slice(0, buffer.length).equals(bytes.subarray(one('one').length)))
    t.equal(reader.next(buffer, 1), 'two')
    t.equal(reader.next(buffer, 1), 'three')
    reader.giveBack(buffer)
    t.equal(buffer.length, 0)
  }
})

t.test('bytes out of memory that is lent are copies', async t => {
  const chunk = masked(Buffer.from('abc'))
  const reader = readerOf()
  const buffer = new RecvBuffer()
  buffer.append(chunk, true)
  const message = reader.next(buffer, 1) as Buffer
  chunk.fill(0)
  t.equal(message.toString(), 'abc')
})

// ---- any cut ------------------------------------------------------------------------------------

const PIECES = [
  '',
  'a',
  'hello',
  'é',
  '😀',
  'x'.repeat(130),
  'ÿ'.repeat(90),
  Buffer.alloc(300, 0xff),
]

/** Random messages: as bytes, and as what they are. */
function conversation(random: Random, key: readonly number[] | undefined): [Buffer, string[]] {
  const frames: Buffer[] = []
  const wanted: string[] = []
  const add = (payload: string | Uint8Array, options: FrameOptions = {}): void =>
    void frames.push(frame(payload, { key, ...options }))
  for (let i = 0; i < 12; i++) {
    const message = pick(random, PIECES)
    const isText = typeof message === 'string'
    const bytes = Buffer.from(message as string)
    if (random(10) < 3) {
      const cut = random(bytes.length + 1)
      add(bytes.subarray(0, cut), { opcode: isText ? 1 : 2, fin: false })
      if (random(2) === 0) {
        add('?', { opcode: 9 })
        wanted.push('control 9 ?')
      }
      add(bytes.subarray(cut), { opcode: 0 })
    } else add(message)
    wanted.push(isText ? `text ${message}` : `bytes ${bytes.toString('latin1')}`)
  }
  return [Buffer.concat(frames), wanted]
}

t.test('however it is cut: the same messages', async t => {
  const random = seeded(14)
  for (let round = 0; round < 60; round++) {
    const isMasked = round % 2 === 0
    const [bytes, wanted] = conversation(random, isMasked ? KEY : undefined)
    for (const [, chunks] of chunkings(bytes, random))
      for (const isLent of [false, true])
        t.same(readAll(chunks, { isMasked }, isLent), wanted) || t.bailout('first difference')
  }
})

t.test('garbage: one fault, never a throw, never more memory than the bound', async t => {
  const random = seeded(15)
  for (let round = 0; round < 3000; round++) {
    const [good] = conversation(random, KEY)
    const bytes = Buffer.from(good)
    for (let i = 0; i < 4; i++) bytes[random(bytes.length)] = random(256)
    const reader = readerOf({ maxSize: 1000 })
    const buffer = new RecvBuffer()
    let faults = 0
    for (let at = 0; at < bytes.length; at += 50) {
      for (const each of feed(reader, buffer, bytes.subarray(at, at + 50)))
        if (each.startsWith('fault')) faults++
      if (faults > 1 || (reader.held as number) > 4098 || buffer.length > 200) t.fail('bounds')
    }
  }
  t.pass()
})

t.test('a ping behind a message that waits is found at once, and comes again', async t => {
  const reader = readerOf()
  const buffer = new RecvBuffer()
  const bytes = Buffer.concat([masked('one'), masked('ping', { opcode: 9 })])
  buffer.append(bytes)
  const ahead = reader.urgent?.(buffer, bytes.length) as Control[]
  t.same(
    ahead.map(each => [show(each), each.when]),
    [['control 9 ping', 'ahead']],
  )
  t.equal(reader.next(buffer, 1), 'one')
  t.equal((reader.next(buffer, 1) as Control).when, 'after')
})

t.test('connections that read alike share their delimiter', async t => {
  const one = framesFor(true, false, 1000)
  t.equal(framesFor(true, false, 1000), one)
  t.not(framesFor(false, false, 1000), one)
  t.same(one.options, { isMasked: true, isDeflated: false, maxSize: 1000 })
  for (let size = 1; size < 100; size++) framesFor(true, false, size)
  t.not(framesFor(true, false, 99), framesFor(true, false, 99), 'but not without end')
})
