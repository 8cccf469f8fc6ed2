/**
 * Layer 7. Replies: cuts what a server sends into replies, RESP2 and RESP3. It does no I/O.
 *
 * A reply begins with its type and ends with a line end:
 *
 *     +OK  -ERR what is wrong  :42  ,1.5  (12345678901234567890  #t  _    one line
 *     $5 hello   =9 txt:hello   !9 ERR wrong                 a size, and that many bytes
 *     *2 … …   ~2 … …   >2 … …   %1 … …   |1 … …             a count, and that many replies
 *
 * The order of the calls: cut → #value → (#line, #blob or #open) → #fill, until a reply is whole.
 *
 * Rules:
 * 1. Everything that is complete is consumed, also in the middle of a reply: then the cut has
 *    `undefined` as its data, and what has come of the reply is kept here. So no byte is looked at
 *    twice, and a reply may be larger than `buffer_size`.
 * 2. A push may stand inside a reply, between its head and its elements. It is no element.
 * 3. An attribute is dropped. It describes the reply that follows.
 * 4. Nothing is allocated because a peer announces it. Depth, count and bytes have bounds.
 */

import { Buffer } from 'node:buffer'
import { type Checks, countFrom } from '../../core/checks.ts'
import type { Cut, Delimiter } from '../../core/delimiters.ts'
import { checkOptions } from '../../core/options.ts'
import type { Bytes } from '../../types.ts'
import { protocolError, RedisError, serverError } from './errors.ts'
import { LongBlob } from './long-blob.ts'
import { pack, packInto } from './pack.ts'
import { Push, type Reply } from './reply.ts'
import { scalarOf, valueOf } from './values.ts'

/** How large one reply may be. */
export interface ReplyBounds {
  /** Its bytes. */
  readonly size: Bytes
  /** The elements of all its arrays, maps and sets. */
  readonly count: number
  /** How many arrays, maps and sets stand inside one another. */
  readonly depth: number
}

/**
 * 512 MiB is the longest string of a Redis that was not told otherwise. A JavaScript Map has at
 * most 2 ** 24 entries. Redis' own replies are below ten deep; scripts may nest further.
 */
export const REPLY_BOUNDS: ReplyBounds = { size: 2 ** 29 + 1024, count: 2 ** 24, depth: 128 }

const BOUND_CHECKS: Checks<ReplyBounds> = {
  size: countFrom(1),
  count: countFrom(1),
  depth: countFrom(1),
}

const CR = 13
const LF = 10
const MINUS = 45
const ZERO = 48
const NINE = 57

/** A longer line is no line of Redis. It must stay below the `buffer_size` of a stream. */
const LINE_MAX: Bytes = 60 * 1024

/** A longer string is collected piece by piece. Below, it is waited for. */
const LONG: Bytes = 16 * 1024

/** What stands before a verbatim string: `txt:` or `mkd:`. */
const FORMAT: Bytes = 4

/** What has come ends in the middle of something. */
const MORE = Symbol('more')

/** There is no value yet, but one more byte may be looked at. */
const AGAIN = Symbol('again')

/** The length of `$-1` and `*-1`, which is null in RESP2. */
const NULL = -1

/** What `#length` returns if its line has not ended. */
const OPEN = -2

/** An array, a map, a set, a push or an attribute of which elements are still to come. */
interface Aggregate {
  readonly type: string
  /** How many. */
  left: number
  readonly elements: Reply[]
}

type Value = Reply | Push | undefined

/** The delimiter of one connection. It packs commands as well. */
export class Replies implements Delimiter<[reply: Value]> {
  /** How strings are delivered: as text, or with null as Buffers. It may change between replies. */
  encoding: 'utf8' | null = 'utf8'
  /** Bytes of a reply are copied. So a short one that a program keeps does not keep a chunk. */
  readonly copies = true
  readonly pack = pack
  readonly pack_into = packInto
  readonly #bounds: ReplyBounds

  // What has come of a reply that is not whole.
  readonly #open: Aggregate[] = []
  #blob: LongBlob | undefined
  #blobType = ''
  #size: Bytes = 0
  #count = 0

  // The cut that is being made: where it is, and what it needs to go on.
  #at: Bytes = 0
  #wanted: Bytes = 0
  /** What is added to a place in the bytes makes it a place in the reply. */
  #before: Bytes = 0

  constructor(bounds: ReplyBounds = REPLY_BOUNDS) {
    checkOptions('new Replies', bounds, BOUND_CHECKS, Object.keys(BOUND_CHECKS))
    this.#bounds = bounds
  }

  /** Is it in the middle of a reply, or of a push? */
  get isAmid(): boolean {
    return this.#blob !== undefined || this.#open.length > 0 || this.#wanted > 0
  }

  cut(bytes: Buffer, start: Bytes, end: Bytes, from: Bytes = start): Cut<[Value]> | Bytes {
    this.#at = start
    this.#before = this.#size - start
    this.#wanted = 0
    for (;;) {
      // A string that has begun was within the bound: whether its end is there now does not matter.
      if (this.#blob === undefined && this.#before + this.#at > this.#bounds.size)
        throw tooLarge(`${this.#bounds.size} bytes`)
      const value = this.#at < end ? this.#value(bytes, end, from) : MORE
      if (value === MORE) break
      const whole = value === AGAIN ? AGAIN : this.#fill(value)
      if (whole !== AGAIN) return this.#cut(start, whole)
    }
    return this.#at > start ? this.#cut(start, undefined) : this.#wanted
  }

  #cut(start: Bytes, value: Value): Cut<[Value]> {
    const size = this.#at - start
    // An attribute, and a push inside a reply, do not end it.
    if (value === undefined || this.#open.length > 0) this.#size += size
    else this.#size = this.#count = 0
    return { size, data: [value] }
  }

  // ---- one value --------------------------------------------------------------------------------

  /** The value that begins at #at. An aggregate is opened, and has none yet. */
  #value(bytes: Buffer, end: Bytes, from: Bytes): Reply | typeof MORE | typeof AGAIN {
    if (this.#blob !== undefined) return this.#long(bytes, end, this.#blob)
    const type = String.fromCharCode(bytes[this.#at] as number)
    switch (type) {
      case '$':
      case '=':
      case '!':
        return this.#string(bytes, end, type)
      case '*':
      case '~':
      case '>':
      case '%':
      case '|':
        return this.#aggregate(bytes, end, type)
      case ':':
      case '+':
      case '-':
      case ',':
      case '(':
      case '#':
      case '_':
        return this.#scalar(bytes, end, from, type)
      default:
        throw protocolError(`a reply begins with ${JSON.stringify(type)}`)
    }
  }

  /** A value that is one line. */
  #scalar(bytes: Buffer, end: Bytes, from: Bytes, type: string): Reply | typeof MORE {
    const at = this.#at + 1
    const cr = endOfLine(bytes, Math.max(at, from - 1), end)
    if (cr - at > LINE_MAX) throw protocolError('a line has no end')
    if (cr + 1 >= end) return this.#more(end - this.#at + 1)
    if (bytes[cr + 1] !== LF) throw protocolError('a line must end with \\r\\n')
    this.#at = cr + 2
    // "OK", by far the most frequent of all.
    if (type === '+' && cr - at === 2 && bytes[at] === 79 && bytes[at + 1] === 75) return 'OK'
    return scalarOf(type, bytes.toString('utf8', at, cr))
  }

  /**
   * A length: the number after the type at #at, up to the end of the line. NULL for -1, OPEN if the
   * line has not ended. `#lineEnd` is where the next line begins.
   */
  #length(bytes: Buffer, end: Bytes): number {
    let at = this.#at + 1
    let length = 0
    if (bytes[at] === MINUS) return this.#minusOne(bytes, at, end)
    for (; at < end; at++) {
      const digit = bytes[at] as number
      if (digit < ZERO || digit > NINE) break
      length = 10 * length + digit - ZERO
    }
    if (length > Number.MAX_SAFE_INTEGER) throw protocolError('a length is out of range')
    if (at >= end) return OPEN
    if (at === this.#at + 1) throw protocolError('a length must be a number')
    return this.#endsLine(bytes, at, end) ? length : OPEN
  }

  #minusOne(bytes: Buffer, at: Bytes, end: Bytes): number {
    if (at + 1 >= end) return OPEN
    if (bytes[at + 1] !== ZERO + 1) throw protocolError('a length must not be negative')
    return this.#endsLine(bytes, at + 2, end) ? NULL : OPEN
  }

  #lineEnd: Bytes = 0

  /** Does a line end at `at`? False: that is not known yet. */
  #endsLine(bytes: Buffer, at: Bytes, end: Bytes): boolean {
    if ((at < end && bytes[at] !== CR) || (at + 1 < end && bytes[at + 1] !== LF))
      throw protocolError('a length must end with \\r\\n')
    this.#lineEnd = at + 2
    return at + 1 < end
  }

  // ---- strings ----------------------------------------------------------------------------------

  #string(bytes: Buffer, end: Bytes, type: string): Reply | typeof MORE | typeof AGAIN {
    const length = this.#length(bytes, end)
    if (length === OPEN) return this.#more(end - this.#at + 1)
    const start = this.#lineEnd
    if (length === NULL) return this.#null(type)
    if (type === '=' && length < FORMAT) throw protocolError('a verbatim string must have a format')
    if (this.#before + this.#at + length > this.#bounds.size)
      throw tooLarge(`${this.#bounds.size} bytes`)
    if (length > LONG) return this.#begin(type, length)
    const stop = start + length
    if (stop + 2 > end) return this.#more(stop + 2 - this.#at)
    if (bytes[stop] !== CR || bytes[stop + 1] !== LF) throw unended()
    this.#at = stop + 2
    if (type === '$' && this.encoding !== null) return bytes.toString('utf8', start, stop)
    return this.#shown(type, Buffer.from(bytes.subarray(start, stop)))
  }

  /** RESP2 has no type for nothing: it is a string or an array of the length -1. */
  #null(type: string): Reply {
    if (type !== '$' && type !== '*') throw protocolError('a length must not be negative')
    this.#at = this.#lineEnd
    return null
  }

  #begin(type: string, length: Bytes): typeof AGAIN {
    this.#at = this.#lineEnd
    this.#blob = new LongBlob(length, this.encoding !== null || type === '!')
    this.#blobType = type
    return AGAIN
  }

  /** The next piece of a long string. */
  #long(bytes: Buffer, end: Bytes, blob: LongBlob): Reply | typeof MORE {
    this.#at += blob.take(bytes, this.#at, end)
    if (blob.left > 0) return MORE
    if (this.#at + 2 > end) return this.#more(2)
    if (bytes[this.#at] !== CR || bytes[this.#at + 1] !== LF) throw unended()
    this.#at += 2
    this.#blob = undefined
    return this.#shown(this.#blobType, blob.value())
  }

  #shown(type: string, value: string | Buffer): Reply {
    if (type === '!') return serverError(String(value))
    const content = type === '=' ? value.slice(FORMAT) : value
    return this.encoding === null || typeof content === 'string' ? content : String(content)
  }

  // ---- arrays, maps, sets -----------------------------------------------------------------------

  #aggregate(bytes: Buffer, end: Bytes, type: string): Reply | typeof MORE | typeof AGAIN {
    const length = this.#length(bytes, end)
    if (length === OPEN) return this.#more(end - this.#at + 1)
    if (length === NULL) return this.#null(type)
    const left = type === '%' || type === '|' ? 2 * length : length
    const { count, depth } = this.#bounds
    this.#count += left
    if (this.#count > count) throw tooLarge(`${count} elements`)
    if (this.#open.length >= depth) throw tooLarge(`a depth of ${depth}`)
    if (type === '>' && left === 0) throw protocolError('a push must have a kind')
    this.#at = this.#lineEnd
    if (left === 0) return type === '|' ? AGAIN : (valueOf(type, []) as Reply)
    this.#open.push({ type, left, elements: [] })
    return AGAIN
  }

  /**
   * Puts a value in the innermost aggregate that is open. Returns what is whole then: a reply or a
   * push. AGAIN if there is more to come.
   */
  #fill(value: Reply): Reply | Push | typeof AGAIN {
    let whole = value
    for (let innermost; (innermost = this.#open.at(-1)) !== undefined;) {
      innermost.elements.push(whole)
      if (--innermost.left > 0) return AGAIN
      this.#open.pop()
      if (innermost.type === '|') return AGAIN
      const made = valueOf(innermost.type, innermost.elements)
      if (made instanceof Push) return made
      whole = made
    }
    return whole
  }

  // ---- what is missing --------------------------------------------------------------------------

  /** That many bytes are needed from #at on. They are waited for if nothing was consumed. */
  #more(wanted: Bytes): typeof MORE {
    this.#wanted = wanted
    return MORE
  }
}

/** A shorter line is searched here: a call into C++ costs more. */
const SHORT: Bytes = 32

/** Where the next CR is; `end` if there is none. */
function endOfLine(bytes: Buffer, at: Bytes, end: Bytes): Bytes {
  const near = Math.min(end, at + SHORT)
  for (; at < near; at++) if (bytes[at] === CR) return at
  const found = bytes.subarray(at, end).indexOf(CR)
  return found === -1 ? end : at + found
}

function tooLarge(bound: string): RedisError {
  return new RedisError('ERR_OVERFLOW', `a reply has more than ${bound}, which is the bound`)
}

function unended(): RedisError {
  return protocolError('a string must end with \\r\\n')
}
