import { Buffer } from 'node:buffer'
import t from 'tap'
import { readerFor } from '../../../src/core/delimiters.ts'
import { NEED_MORE } from '../../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import {
  type Frame,
  FRAMES,
  packFrames,
  PACKET_FRAMES,
} from '../../../src/messages/carriers/frames.ts'
import { Message, type MessageFields } from '../../../src/messages/message.ts'
import { fault } from '../kit.ts'

const frame = (name: string): Frame => FRAMES.get(name) as Frame

function pack(name: string, fields: MessageFields): Buffer {
  const message = new Message(fields)
  return Buffer.concat([
    frame(name).head(message) ?? Buffer.alloc(0),
    message.data,
    Buffer.from(frame(name).tail),
  ])
}

/** What comes out when the bytes arrive one at a time. */
function trickle(name: string, bytes: Buffer): Message[] {
  const { delimiter } = frame(name)
  const reader = readerFor(delimiter, { encoding: null, regex_search: true })
  const buffer = new RecvBuffer()
  const messages: Message[] = []
  for (const byte of bytes) {
    buffer.append(Buffer.of(byte))
    for (;;) {
      const data: unknown = buffer.length === 0 ? NEED_MORE : reader.next(buffer, 65_536)
      if (data === NEED_MORE && buffer.more()) continue
      if (data === NEED_MORE) break
      messages.push(frame(name).unpack(reader.spread ? (data as unknown[]) : [data], 7))
    }
  }
  return messages
}

t.test('bytes', async t => {
  const message = { msgid: 0x0102, seq: 0x0304n, data: 'ab' }
  const hex: Record<string, string> = {
    std: '02000000 02010000 0403000000000000 6162',
    short: '0200 0201 0403000000000000 6162',
    tiny: '0200 0201 04030000 6162',
    size32: '02000000 6162',
    line: '6162 0a',
    none: '6162',
  }
  for (const [name, expected] of Object.entries(hex))
    t.equal(pack(name, message).toString('hex'), expected.replaceAll(' ', ''), name)
  const aliases = { l4m4s8: 'std', l2m2s8: 'short', l2m2s4: 'tiny', l4: 'size32' }
  for (const [name, same] of Object.entries(aliases)) t.equal(frame(name), frame(same))
})

t.test('packed in one go: the same bytes, for the least and the largest values', async t => {
  const widths = { std: [32, 64], short: [16, 64], tiny: [16, 32], size32: [1, 1] } as const
  for (const [name, [msgid, seq]] of Object.entries(widths)) {
    const most = 2 ** (msgid - 1) - 1
    const last = 2n ** (BigInt(seq) - 1n) - 1n
    const values: (readonly [number, bigint])[] = [
      [most, last],
      [-most - 1, -last - 1n],
      [0, 0n],
    ]
    // What a number cannot hold, and halves of which the upper bit is set.
    if (name === 'std') values.push([1, 2n ** 53n + 1n], [-1, -1n], [2, 0xffff_ffffn])
    for (const [msgid, seq] of values) {
      const message = new Message({ msgid, seq, data: 'abc' })
      const expected = pack(name, message)
      const { packer } = frame(name)
      t.strictSame(packer?.pack(message), expected)
      const target = Buffer.alloc(40)
      t.equal(packer?.pack_into(target, 2, message), expected.length)
      t.strictSame(target.subarray(2, 2 + expected.length), expected)
      const short = Buffer.alloc(expected.length)
      t.equal(packer?.pack_into(short, 1, message), expected.length)
      t.strictSame(short, Buffer.alloc(expected.length), 'no room: nothing is written')
      if (name !== 'size32')
        t.match(trickle(name, expected), [{ msgid, seq, data: message.data, addr: 7 }])
    }
  }
})

t.test('there and back, a byte at a time', async t => {
  const fields = [
    { msgid: -5, seq: -6n, data: 'hello' },
    { msgid: 0x7fff, seq: 2n ** 31n - 1n, data: '' },
    { data: 'x'.repeat(300) },
  ]
  for (const name of ['std', 'short', 'tiny']) {
    const all = trickle(name, Buffer.concat(fields.map(each => pack(name, each))))
    t.match(
      all.map(({ msgid, seq, data, addr }) => [msgid, seq, String(data), addr]),
      fields.map(({ msgid = 0, seq = 0n, data }) => [msgid, seq, data, 7]),
      name,
    )
  }
  t.strictSame(
    trickle('size32', Buffer.concat([pack('size32', { data: 'a' }), pack('size32', {})])).map(
      ({ data }) => String(data),
    ),
    ['a', ''],
  )
  t.strictSame(
    trickle('line', Buffer.from('one\r\n\r\ntwo\n\nthree')).map(({ data }) => String(data)),
    ['one', '', 'two', ''],
  )
  t.strictSame(
    trickle('none', Buffer.from('ab')).map(({ data }) => String(data)),
    ['a', 'b'],
  )
  const document = Buffer.from('0600000061620500000063', 'hex')
  t.strictSame(
    trickle('bson', document).map(({ data }) => data.toString('hex')),
    ['060000006162', '0500000063'],
  )
  // It was given as a message of 4 bytes, which post refuses.
  t.throws(() => trickle('bson', Buffer.from('00000000', 'hex')), { code: 'ERR_FRAME' })
})

t.test('messages that do not fit', async t => {
  t.match(
    fault(() => pack('short', { data: 'x'.repeat(65_536) })),
    'post: length of data with frame=short must be from 0 to 65535; got 65536',
  )
  t.match(
    fault(() => pack('tiny', { msgid: 32_768 })),
    'post: msgid with frame=tiny must be from -32768 to 32767; got 32768',
  )
  t.match(
    fault(() => pack('std', { msgid: 1.5 })),
    'message: msgid must be',
  )
  t.match(
    fault(() => pack('line', { data: 'a\nb' })),
    'post: data with frame=line must be one line, without a line end',
  )
  t.match(
    fault(() => pack('none', { data: '' })),
    'post: data with frame=none must be at least one byte',
  )
  t.match(
    fault(() => pack('bson', { data: 'abc' })),
    'post: data with frame=bson must be a BSON document, which begins with its size',
  )
  t.equal(pack('bson', { data: Buffer.from('04000000', 'hex') }).length, 4)
  // It was cut off in silence: a file with `autoseq` began again at -2147483648.
  t.match(
    fault(() => pack('tiny', { seq: 2n ** 31n })),
    'post: seq with frame=tiny must be from -2147483648 to 2147483647; got 2147483648',
  )
  // A reader takes it for a part of the line end, so it was lost.
  t.match(
    fault(() => pack('line', { data: '50 %\r' })),
    'post: data with frame=line must be one line, without a line end',
  )
  t.strictSame(
    ['std', 'size32', 'line', 'bson', 'none'].map(name => Object.values(frame(name).carries)),
    [
      ['any', true, true],
      ['any', false, false],
      ['line', false, false],
      ['document', false, false],
      ['stream', false, false],
    ],
  )
})

t.test('packets', async t => {
  const seq32 = PACKET_FRAMES.get('seq32')!
  t.equal(PACKET_FRAMES.get('s4'), seq32)
  t.strictSame(
    [100n, 4294967297n, -1n].map(seq =>
      Buffer.from(seq32.head(new Message({ seq }))!).toString('hex'),
    ),
    ['64000000', '01000000', 'ffffffff'],
    'its lower 32 bits',
  )
  t.match(seq32.unpackPacket(Buffer.from('ffffffff6162', 'hex'), 5), {
    seq: 0xffffffffn,
    data: Buffer.from('ab'),
    addr: 5,
  })
  t.equal(seq32.unpackPacket(Buffer.alloc(3)), undefined)
  // An empty packet was received, and could not be sent back.
  t.equal(PACKET_FRAMES.get('none')!.head(new Message()), undefined)
  const packet = pack('std', { msgid: 1, seq: 2n, data: 'abc' })
  packet.writeUInt32LE(99)
  t.match(
    frame('std').unpackPacket(packet, ['h', 1]),
    { msgid: 1, seq: 2n, data: Buffer.from('abc'), addr: ['h', 1] },
    'the size in the frame is ignored',
  )
  t.equal(frame('std').unpackPacket(Buffer.alloc(15)), undefined)
  t.match(frame('none').unpackPacket(Buffer.from('x')), { data: Buffer.from('x') })
})

t.test('several messages, as they stand in a stream', async t => {
  const two = [new Message({ data: 'a' }), new Message({ data: 'bc' })]
  t.equal(packFrames(frame('line'), two).toString(), 'a\nbc\n')
  t.equal(packFrames(frame('size32'), two).toString('latin1'), '\x01\0\0\0a\x02\0\0\0bc')
  t.match(
    fault(() => packFrames(frame('line'), [new Message({ data: 'a\n' })])),
    /one line/,
  )
})
