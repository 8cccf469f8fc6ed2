/**
 * Layer 7. Packer: the way out. A message is packed straight into the run of the write path, so a
 * small one costs no Buffer of its own.
 *
 *     PUB  <subject> [reply] <size>␍␊<payload>␍␊
 *     HPUB <subject> [reply] <header> <total>␍␊<header><payload>␍␊
 *
 * Subjects are on-wire text: one character a byte (subjects.ts).
 */

import { Buffer } from 'node:buffer'
import type { IntoPacker } from '../../core/writing/write-run.ts'
import type { Bytes, Data } from '../../types.ts'

/** A target without room, to ask `pack_into` for the size. */
const NOWHERE = Buffer.alloc(0)

const LINE_END = '\r\n'

/** Up to this many characters, writing them one by one costs less than a call into C++. */
const SHORT = 64

/** Packs messages. Its values: subject, reply or '', header or undefined, data. */
export const PUBLISH: IntoPacker = {
  pack(subject: string, reply: string, header: Uint8Array | undefined, data: Data): Buffer {
    const bytes = Buffer.allocUnsafe(this.pack_into(NOWHERE, 0, subject, reply, header, data))
    this.pack_into(bytes, 0, subject, reply, header, data)
    return bytes
  },

  pack_into(
    target: Buffer,
    at: Bytes,
    subject: string,
    reply: string,
    header: Uint8Array | undefined,
    data: Data,
  ): Bytes {
    const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length
    const line = lineOf(subject, reply, header, length)
    const headerSize = header === undefined ? 0 : header.length
    const payload = at + line.length + headerSize
    const size = payload + length + 2 - at
    if (at + size > target.length) return size
    writeAscii(target, at, line)
    if (header !== undefined) target.set(header, at + line.length)
    if (typeof data !== 'string') target.set(data, payload)
    else if (length === data.length && length <= SHORT) writeAscii(target, payload, data)
    else target.write(data, payload)
    target[payload + length] = 13
    target[payload + length + 1] = 10
    return size
  },
}

function lineOf(
  subject: string,
  reply: string,
  header: Uint8Array | undefined,
  length: Bytes,
): string {
  const to = reply === '' ? subject : `${subject} ${reply}`
  return header === undefined
    ? `PUB ${to} ${length}${LINE_END}`
    : `HPUB ${to} ${header.length} ${header.length + length}${LINE_END}`
}

function writeAscii(target: Buffer, at: Bytes, text: string): void {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i)
}

/** SUB: a subscription, perhaps in a queue group. */
export function subscribeLine(subject: string, group: string, sid: number): string {
  return `SUB ${group === '' ? subject : `${subject} ${group}`} ${sid}${LINE_END}`
}

/** UNSUB: at once, or when `max` messages have come since the SUB. */
export function unsubscribeLine(sid: number, max?: number): string {
  return `UNSUB ${sid}${max === undefined ? '' : ` ${max}`}${LINE_END}`
}
