/** Frames on the way out, compared with frames made by hand. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  CLIENT_PACKERS,
  type FramePacker,
  SERVER_PACKERS,
} from '../../../src/protocols/websocket/outgoing.ts'
import { frame } from './kit.ts'

const ASCII = [0, 1, 16, 17, 125, 126].map(length => 'x'.repeat(length))
const TEXTS = [...ASCII, 'é', 'short: é', 'é'.repeat(63), '😀'.repeat(20_000)]
const BYTES = [0, 1, 125, 126, 65_535, 65_536].map(size => Buffer.alloc(size, 0xfe))

/** Packs at every place that matters; the target ends wherever. */
function packed(packer: FramePacker, data: string | Uint8Array): Buffer {
  const whole = packer.pack(data)
  for (const room of [0, 1, whole.length - 1, whole.length, whole.length + 500]) {
    const target = Buffer.alloc(3 + Math.max(0, room), 0x55)
    if (packer.pack_into(target, 3, data) !== whole.length) throw new Error('another size')
    if (target.subarray(0, 3).toString() !== 'UUU') throw new Error('before it')
    if (room > whole.length && target.subarray(-5).toString() !== 'UUUUU')
      throw new Error('behind it')
    if (room >= whole.length && target[3] !== whole[0]) throw new Error('not written')
  }
  return whole
}

t.test('a server does not mask', async t => {
  for (const text of TEXTS) t.ok(packed(SERVER_PACKERS.text, text).equals(frame(text)))
  for (const bytes of BYTES) {
    t.ok(packed(SERVER_PACKERS.binary, bytes).equals(frame(bytes)))
    t.ok(Buffer.concat([SERVER_PACKERS.binary.header(bytes.length), bytes]).equals(frame(bytes)))
  }
  t.ok(packed(SERVER_PACKERS.ping, 'p').equals(frame('p', { opcode: 9 })))
  t.ok(packed(SERVER_PACKERS.pong, 'p').equals(frame('p', { opcode: 10 })))
  t.ok(packed(SERVER_PACKERS.close, Buffer.alloc(2)).equals(frame(Buffer.alloc(2), { opcode: 8 })))
})

t.test('a client does, with another key each time', async t => {
  const keys = new Set<string>()
  for (const data of [...TEXTS, ...BYTES]) {
    const packer = typeof data === 'string' ? CLIENT_PACKERS.text : CLIENT_PACKERS.binary
    const bytes = packed(packer, data)
    const { length } = Buffer.from(data as string)
    const key = bytes.subarray(bytes.length - length - 4, bytes.length - length)
    t.ok(bytes.equals(frame(data, { key: [...key] })))
    keys.add(key.toString('hex'))
  }
  t.equal(keys.size, TEXTS.length + BYTES.length)
})
