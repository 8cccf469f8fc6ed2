/**
 * Layer 1. `dot_block`: a delimiter for blocks of lines that end with a line of a single dot, as
 * those of SMTP, POP3, NNTP and DICT do.
 *
 * Only CRLF ends a line here. To take `\n` for one, too, lets a peer hide a second message in the
 * first (SMTP smuggling).
 */

import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { InvalidArgumentError } from '../errors.ts'
import type { Bytes, Data } from '../types.ts'
import type { Cut, Delimiter } from './delimiters.ts'

const CRLF = Buffer.from('\r\n')
/** A line that begins with a dot, after another one. */
const DOT = Buffer.from('\r\n.')
/** The last line, and the end of the line before it. */
const END = Buffer.from('\r\n.\r\n')
const LAST = END.subarray(CRLF.length)

/** A delimiter of blocks of lines, and their packer. */
export interface DotBlock extends Delimiter<[block: any]> {
  /**
   * Returns the block with a second dot before each line that begins with one, and with the line of
   * the dot that ends it. If the last line has no line end, it gets one.
   *
   * Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) for anything but a string or a Uint8Array.
   */
  pack(block: Data): Buffer
}

/**
 * A `read_delimiter` for blocks that end with a line of a single dot. `on_read` gets the lines
 * before it, with their line ends (CRLF), and without the dot that was put before a line that
 * begins with one. It is a string if the channel has an `encoding`.
 *
 * `write_packed(dot_block, text)` writes such a block.
 *
 * A block longer than `buffer_size` is an overflow.
 *
 * @example
 * class Mail extends Connection {
 *   override read_delimiter: ReadDelimiter = '\r\n'
 *   override on_read(data: Buffer) {
 *     if (this.read_delimiter === dot_block) {
 *       this.read_delimiter = '\r\n'
 *       this.write('250 OK\r\n')
 *     } else if (String(data) === 'DATA') {
 *       this.read_delimiter = dot_block
 *       this.write('354 Go ahead\r\n')
 *     }
 *   }
 * }
 */
// Source: RFC 5321, 4.5.2; RFC 3977, 3.1.1.
export const dot_block: DotBlock = { text: true, cut, pack }

function cut(bytes: Buffer, start: Bytes, end: Bytes, from: Bytes = start): Cut<[any]> | Bytes {
  const all = bytes.subarray(start, end)
  if (isAt(all, LAST, 0)) return { size: LAST.length, data: [all.subarray(0, 0)] }
  // The end may have begun in the bytes that were searched before.
  const found = all.indexOf(END, Math.max(0, from - start - END.length + 1))
  if (found === -1) return all.length + 1
  return {
    size: found + END.length,
    data: [withoutDots(all.subarray(0, found + CRLF.length))],
  }
}

function isAt(bytes: Buffer, part: Buffer, at: Bytes): boolean {
  return bytes.subarray(at, at + part.length).equals(part)
}

/** Without the first dot of each line. */
function withoutDots(block: Buffer): Buffer {
  const dots = dotsOf(block)
  if (dots.length === 0) return block
  return Buffer.concat(
    dots.concat(block.length).map((to, i) => block.subarray(i && dots[i - 1]! + 1, to)),
  )
}

function pack(block: Data): Buffer {
  if (typeof block !== 'string' && !types.isUint8Array(block))
    throw new InvalidArgumentError('dot_block: block', 'a string or a Uint8Array', block)
  const bytes = Buffer.from(block as string)
  const parts: Buffer[] = []
  let at: Bytes = 0
  for (const dot of dotsOf(bytes)) {
    parts.push(bytes.subarray(at, dot + 1))
    at = dot
  }
  parts.push(bytes.subarray(at))
  if (bytes.length > 0 && !isAt(bytes, CRLF, bytes.length - CRLF.length)) parts.push(CRLF)
  return Buffer.concat([...parts, LAST])
}

/** Where a line begins with a dot. */
function dotsOf(block: Buffer): Bytes[] {
  const dots = block[0] === DOT[CRLF.length] ? [0] : []
  for (let at = block.indexOf(DOT); at !== -1; at = block.indexOf(DOT, at + CRLF.length))
    dots.push(at + CRLF.length)
  return dots
}
