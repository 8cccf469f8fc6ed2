/**
 * Layer 7. Head: the first line and the header fields of an HTTP/1.1 message (RFC 9112), read
 * strictly: what a proxy might understand in another way is refused.
 *
 * Rules:
 * 1. It is bounded in bytes and lines. (In time it is by the handshake.)
 * 2. Every line is checked when it has ended; so the answer does not depend on chunks, and garbage
 *    is refused before the rest of it has come.
 */

import type { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'

/** The most bytes of a head. Node allows as many. */
const HEAD_MAX: Bytes = 16 * 1024

/** The most fields. As many as Apache allows; browsers send about twenty. */
const FIELDS_MAX = 100

/** Header fields by their names in lower case. A field that comes more than once has its values. */
export type Fields = ReadonlyMap<string, readonly string[]>

/** A head that is complete. */
export interface Head {
  /** The request line or the status line. */
  readonly line: string
  readonly fields: Fields
  /** What followed it in the same chunk. */
  readonly rest: Buffer
}

/** A head that is refused. */
export interface HeadFault {
  /** The status that a server answers. */
  readonly status: 400 | 431
  readonly why: string
}

const NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/
// The control characters, without the tab.
const NO_VALUE = /[\0-\x08\x0a-\x1f\x7f]/

export class HeadReader {
  /** The line that has not ended. */
  #line = ''
  #first: string | undefined
  readonly #fields = new Map<string, string[]>()
  #count = 0
  #size: Bytes = 0

  /** Returns the head, or what is wrong with it; undefined if more bytes are needed. */
  push(chunk: Buffer): Head | HeadFault | undefined {
    const text = chunk.toString('latin1')
    for (let at = 0, end = 0; end !== -1; at = end + 1) {
      end = text.indexOf('\n', at)
      const part = end === -1 ? text.slice(at) : text.slice(at, end)
      this.#line += part
      this.#size += part.length + (end === -1 ? 0 : 1)
      if (this.#size > HEAD_MAX) return tooLarge(`more than ${HEAD_MAX} bytes`)
      if (end === -1) continue
      const line = this.#line
      this.#line = ''
      if (!line.endsWith('\r')) return wrong('a line must end with CR LF')
      if (line === '\r' && this.#first !== undefined)
        return { line: this.#first, fields: this.#fields, rest: chunk.subarray(end + 1) }
      const fault = this.#add(line.slice(0, -1))
      if (fault !== undefined) return fault
    }
    return undefined
  }

  /** Adds a line, or says what is wrong with it. */
  #add(line: string): HeadFault | undefined {
    if (NO_VALUE.test(line)) return wrong('there is a control character in it')
    if (this.#first === undefined) {
      this.#first = line
      return line === '' ? wrong('the first line is empty') : undefined
    }
    if (++this.#count > FIELDS_MAX) return tooLarge(`more than ${FIELDS_MAX} fields`)
    if (line[0] === ' ' || line[0] === '\t') return wrong('a field must not be folded')
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).toLowerCase()
    if (!NAME.test(name)) return wrong('a field must have a name and a colon')
    const value = trimmed(line, colon + 1)
    const known = this.#fields.get(name)
    if (known === undefined) this.#fields.set(name, [value])
    else known.push(value)
    return undefined
  }
}

/** What follows in the line from there, without the blanks and tabs around it. */
function trimmed(line: string, start: number): string {
  let end = line.length
  while (start < end && isBlank(line.charCodeAt(start))) start++
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09
}

function wrong(why: string): HeadFault {
  return { status: 400, why }
}

function tooLarge(why: string): HeadFault {
  return { status: 431, why: `the head is too large: ${why}` }
}

// ---- fields -------------------------------------------------------------------------------------

/** Is it a name of a field, or another token? */
export function isToken(text: string): boolean {
  return NAME.test(text)
}

/** Can it be sent as the value of a field? */
export function isValue(text: string): boolean {
  return !NO_VALUE.test(text) && !/[^\0-\xff]/.test(text)
}

/** The elements of a field that is a list, over all its lines. Empty ones are left out. */
export function listOf(fields: Fields, name: string): string[] {
  const values = fields.get(name)
  if (values === undefined) return []
  return values
    .flatMap(value => value.split(','))
    .map(each => each.trim())
    .filter(each => each !== '')
}

/** The fields as a program sees them: by name, several values joined with a comma. */
export function plain(fields: Fields): Record<string, string> {
  const all = Object.create(null) as Record<string, string>
  for (const [name, values] of fields) all[name] = values.join(name === 'cookie' ? '; ' : ', ')
  return all
}
