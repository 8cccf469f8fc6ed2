/**
 * Layer 7. The bytes of a command: an array of strings, in RESP2 as in RESP3.
 *
 *     SET key 42   is   *3 $3 SET $3 key $2 42   with a line end after each of these words
 */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'

/** A part of a command: text is sent as UTF-8. */
export type Word = string | Uint8Array

const CR = 13
const LF = 10
const ZERO = 48
const STAR = 42
const DOLLAR = 36

/** The most bytes that one UTF-16 unit becomes. */
const MOST_PER_UNIT = 3

/** The most bytes of a type, a length and the line ends around a word. */
const HEAD_MOST = 24

/** Text up to this length is written here: a call into C++ costs more. */
const SHORT = 40

/** A target without room, to ask for the size. */
const NOWHERE = Buffer.alloc(0)

/** The bytes of a command. */
export function pack(...words: Word[]): Buffer {
  const bytes = Buffer.allocUnsafe(packInto(NOWHERE, 0, ...words))
  packInto(bytes, 0, ...words)
  return bytes
}

/** Writes a command at `target[at]`. Returns its size; if it does not fit, nothing counts. */
export function packInto(target: Buffer, at: Bytes, ...words: Word[]): Bytes {
  if (at + most(words) > target.length) {
    const size = sizeOf(words)
    if (at + size > target.length) return size
  }
  let to = writeHead(target, at, STAR, words.length)
  for (const word of words)
    to = typeof word === 'string' ? writeText(target, to, word) : writeBytes(target, to, word)
  return to - at
}

/** The bytes of a command without its words: what surrounds a large one that is sent as it is. */
export function headOf(type: '*' | '$', length: number): string {
  return `${type}${length}\r\n`
}

/** An upper bound of the bytes, without counting. */
function most(words: readonly Word[]): Bytes {
  let size = HEAD_MOST
  for (const word of words)
    size += HEAD_MOST + (typeof word === 'string' ? MOST_PER_UNIT * word.length : word.length)
  return size
}

function sizeOf(words: readonly Word[]): Bytes {
  let size = headOf('*', words.length).length
  for (const word of words) {
    const length = typeof word === 'string' ? Buffer.byteLength(word) : word.length
    size += headOf('$', length).length + length + 2
  }
  return size
}

/** Writes a type, a length and a line end. Returns where the next byte goes. */
function writeHead(target: Buffer, at: Bytes, type: number, length: number): Bytes {
  target[at++] = type
  if (length < 10) target[at++] = ZERO + length
  else if (length < 100) {
    target[at++] = ZERO + ((length / 10) | 0)
    target[at++] = ZERO + (length % 10)
  } else at += target.write(String(length), at, 'latin1')
  target[at++] = CR
  target[at++] = LF
  return at
}

function writeBytes(target: Buffer, at: Bytes, bytes: Uint8Array): Bytes {
  const to = writeHead(target, at, DOLLAR, bytes.length)
  target.set(bytes, to)
  return writeEnd(target, to + bytes.length)
}

/** Most text is ASCII: its length is known then before it is encoded. */
function writeText(target: Buffer, at: Bytes, text: string): Bytes {
  const { length } = text
  const to = writeHead(target, at, DOLLAR, length)
  if (length <= SHORT) {
    let i = 0
    for (; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) break
      target[to + i] = unit
    }
    if (i === length) return writeEnd(target, to + length)
  } else if (Buffer.byteLength(text) === length) {
    target.write(text, to, 'latin1')
    return writeEnd(target, to + length)
  }
  const size = Buffer.byteLength(text)
  const from = writeHead(target, at, DOLLAR, size)
  target.write(text, from)
  return writeEnd(target, from + size)
}

function writeEnd(target: Buffer, at: Bytes): Bytes {
  target[at++] = CR
  target[at++] = LF
  return at
}
