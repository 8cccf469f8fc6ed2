/**
 * Layer 7. Outgoing: frames on the way out. Header and payload are packed straight into the run of
 * the write path, so a small message costs no Buffer of its own.
 */

import { Buffer } from 'node:buffer'
import type { IntoPacker } from '../../core/writing/write-run.ts'
import type { Bytes, Data } from '../../types.ts'
import {
  BINARY,
  CLOSE,
  FIN,
  headerSize,
  KEY,
  MASK,
  mask,
  nextKey,
  PING,
  PONG,
  RSV1,
  TEXT,
  viewOf,
  writeHeader,
} from './frames.ts'

/** The longest length that byte 1 tells by itself. */
const SHORT = 125

/** A target without room, to ask `pack_into` for the size. */
const NOWHERE = Buffer.alloc(0)

/** Packs frames with the same first byte. */
export class FramePacker implements IntoPacker {
  readonly #first: number
  readonly #isMasked: boolean

  constructor(first: number, isMasked: boolean) {
    this.#first = first
    this.#isMasked = isMasked
  }

  pack(data: Data): Buffer {
    const frame = Buffer.allocUnsafe(this.pack_into(NOWHERE, 0, data))
    this.pack_into(frame, 0, data)
    return frame
  }

  pack_into(target: Buffer, at: Bytes, data: Data): Bytes {
    if (typeof data !== 'string') return this.#packBytes(target, at, data)
    if (data.length <= SHORT && !this.#isMasked) {
      const size = packShort(target, at, this.#first, data)
      if (size > 0) return size
    }
    return this.#packText(target, at, data)
  }

  /** The header alone, for a payload that is sent as it is. (A masked one never is.) */
  header(length: Bytes): Buffer {
    const header = Buffer.allocUnsafe(headerSize(length))
    writeHeader(header, 0, this.#first, 0, length)
    return header
  }

  #packBytes(target: Buffer, at: Bytes, data: Uint8Array): Bytes {
    const payload = this.#begin(target, at, data.length)
    if (payload + data.length <= target.length) {
      target.set(data, payload)
      this.#finish(target, payload, data.length)
    }
    return payload + data.length - at
  }

  #packText(target: Buffer, at: Bytes, text: string): Bytes {
    const length = Buffer.byteLength(text)
    const payload = this.#begin(target, at, length)
    if (payload + length <= target.length) {
      target.write(text, payload)
      this.#finish(target, payload, length)
    }
    return payload + length - at
  }

  /** Writes the header if all of the frame fits. Returns where the payload begins. */
  #begin(target: Buffer, at: Bytes, length: Bytes): Bytes {
    const payload = at + headerSize(length) + (this.#isMasked ? KEY : 0)
    if (payload + length <= target.length)
      writeHeader(target, at, this.#first, this.#isMasked ? MASK : 0, length)
    return payload
  }

  #finish(target: Buffer, payload: Bytes, length: Bytes): void {
    if (!this.#isMasked) return
    const key = nextKey()
    target.writeInt32LE(key, payload - KEY)
    mask(viewOf(target), payload, payload + length, key)
  }
}

/** The most bytes that one UTF-16 unit becomes. */
const MOST_PER_UNIT = 3

/** Text of up to this many units is written one by one: a call into C++ would cost more. */
const TINY = 16

/**
 * The usual case: short text, which is written without being counted first. Returns 0 if it may not
 * fit, or if its bytes need a longer header.
 */
function packShort(target: Buffer, at: Bytes, first: number, text: string): Bytes {
  const { length } = text
  if (at + 2 + length * MOST_PER_UNIT > target.length) return 0
  const isDone = length <= TINY && writeAscii(target, at + 2, text)
  const size = isDone ? length : target.write(text, at + 2)
  if (size > SHORT) return 0
  target[at] = first
  target[at + 1] = size
  return 2 + size
}

/** Returns false at the first character that is not ASCII. */
function writeAscii(target: Buffer, at: Bytes, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return false
    target[at + i] = unit
  }
  return true
}

/** The packers of one side. */
export interface Packers {
  readonly text: FramePacker
  readonly binary: FramePacker
  // The same, compressed.
  readonly deflatedText: FramePacker
  readonly deflatedBinary: FramePacker
  // Control frames; their payloads have at most 125 bytes.
  readonly close: FramePacker
  readonly ping: FramePacker
  readonly pong: FramePacker
}

function packersOf(isMasked: boolean): Packers {
  return {
    text: new FramePacker(FIN | TEXT, isMasked),
    binary: new FramePacker(FIN | BINARY, isMasked),
    deflatedText: new FramePacker(FIN | RSV1 | TEXT, isMasked),
    deflatedBinary: new FramePacker(FIN | RSV1 | BINARY, isMasked),
    close: new FramePacker(FIN | CLOSE, isMasked),
    ping: new FramePacker(FIN | PING, isMasked),
    pong: new FramePacker(FIN | PONG, isMasked),
  }
}

export const SERVER_PACKERS = packersOf(false)
export const CLIENT_PACKERS = packersOf(true)
