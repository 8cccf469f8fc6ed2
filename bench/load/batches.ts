/**
 * Bench. What the generator sends, and what has to come back. It is made before the clock runs.
 *
 * Rules:
 * 1. No two batches, and no two messages of a batch, are alike. So an answer that is lost, doubled
 *    or out of order is a wrong byte.
 * 2. Every run sends the same: the random numbers start from a fixed seed.
 */

import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import type { Work } from './load.ts'

/** One thing to send, what has to come back, and how many messages that counts as. */
export interface Batch {
  readonly send: Buffer
  readonly expect: Buffer
  readonly messages: number
}

/** Bytes of all batches together. As in real traffic, they do not fit the caches of a core. */
const TOTAL = 256 * 1024

/** Of a hundred characters of text, this many are not ASCII: between English and Russian. */
const WIDE = 25

/** Makes the batches of an exchange, each of `count` messages. */
export function makeBatches(work: Work, count: number, file: string): Batch[] {
  if (work === 'burst') return many(16, id => burst(id))
  if (work === 'file') return [sendFile(file)]
  if (isWebSocket(work)) return frames(PAYLOADS[work], count)
  const make = { lines: line, utf8: wideLine, frames: frame, alternate }[work as 'lines']
  return many(64 * count, id => {
    const bytes = Buffer.concat(Array.from({ length: count }, (_, i) => make(id * count + i, 64)))
    return { send: bytes, expect: bytes, messages: count }
  })
}

function many(size: number, make: (id: number) => Batch): Batch[] {
  // An even number, so that a batch of one message can alternate.
  const count = Math.min(1024, Math.max(8, 2 * Math.ceil(TOTAL / size / 2)))
  return Array.from({ length: count }, (_, id) => make(id))
}

/** A line of `size` bytes, its end included, in ASCII. */
export function line(id: number, size: number): Buffer {
  let text = `${id}:`
  while (text.length < size - 2) text += String.fromCharCode(33 + random(94))
  return Buffer.from(text + '\r\n', 'latin1')
}

function wideLine(id: number, size: number): Buffer {
  let text = `${id}:`
  for (let left = size - 2 - text.length; left > 0;) {
    const isWide = random(100) < WIDE && left > 1
    const isLetter = left === 2 || random(2) === 0
    const character = String.fromCharCode(
      !isWide ? 33 + random(94) : isLetter ? 0x430 + random(32) : 0x4e00 + random(20_000),
    )
    text += character
    left -= Buffer.byteLength(character)
  }
  return Buffer.from(text + '\r\n')
}

function frame(id: number, size: number): Buffer {
  const bytes = randomBytes(id, size)
  bytes.writeUInt32BE(size - 4)
  return bytes
}

function alternate(id: number, size: number): Buffer {
  return id % 2 === 0 ? line(id, size) : randomBytes(id, size)
}

function randomBytes(id: number, size: number): Buffer {
  const bytes = Buffer.from(Array.from({ length: size }, () => random(256)))
  bytes.writeUInt32BE(id, 4)
  return bytes
}

function burst(id: number): Batch {
  const send = line(id, 16)
  return { send, expect: Buffer.concat(Array.from({ length: 100 }, () => send)), messages: 100 }
}

function sendFile(path: string): Batch {
  const expect = readFileSync(path)
  return { send: line(0, 16), expect, messages: expect.length / 2 ** 20 }
}

// ---- WebSocket ----------------------------------------------------------------------------------

/** The handshake, before the first batch; the key is the sample of RFC 6455. */
export const UPGRADE: Batch = {
  send: Buffer.from(
    'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  ),
  expect: Buffer.from(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
  ),
  messages: 0,
}

/** What is sent in each frame, and how. */
interface Payload {
  readonly make: (id: number, size: number) => Buffer
  readonly size: number
  readonly opcode: number
}

const TEXT = { size: 64, opcode: 1 } as const

const PAYLOADS = {
  websocket: { ...TEXT, make: line },
  'websocket-utf8': { ...TEXT, make: wideLine },
  'websocket-envelope': { ...TEXT, make: envelope },
  'websocket-64k': { size: 64 * 1024, opcode: 2, make: randomBytes },
} satisfies Partial<Record<Work, Payload>>

/** Is there a handshake first? */
export function isWebSocket(work: Work): work is keyof typeof PAYLOADS {
  return work in PAYLOADS
}

/** A message with the state 's': the answer to it is the same text. */
function envelope(id: number, size: number): Buffer {
  const head = `{"t":"echo","p":{"n":${id},"text":"`
  const tail = `"},"i":"a","s":"s"}`
  let text = ''
  while (head.length + text.length + tail.length < size)
    text += String.fromCharCode(97 + random(26))
  return Buffer.from(head + text + tail)
}

function frames({ make, size, opcode }: Payload, count: number): Batch[] {
  return many(size * count, id => {
    const payloads = Array.from({ length: count }, (_, i) => make(id * count + i, size))
    const header = headerOf(opcode, size)
    return {
      send: Buffer.concat(payloads.map(payload => masked(header, payload))),
      expect: Buffer.concat(payloads.flatMap(payload => [header, payload])),
      messages: count,
    }
  })
}

/** Without a mask. Sizes of 126 to 65 535 bytes would have another form. */
function headerOf(opcode: number, size: number): Buffer {
  const first = 0x80 | opcode
  if (size < 126) return Buffer.from([first, size])
  const header = Buffer.from([first, 127, 0, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(size, 6)
  return header
}

function masked(header: Buffer, payload: Buffer): Buffer {
  const key = Buffer.from(Array.from({ length: 4 }, () => random(256)))
  const bytes = payload.map((byte, i) => byte ^ (key[i % 4] as number))
  const frame = Buffer.concat([header, key, bytes])
  frame[1] = (frame[1] as number) | 0x80
  return frame
}

let state = 0x9e3779b9

/** A number below `limit`. */
function random(limit: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % limit
}
