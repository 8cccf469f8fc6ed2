/**
 * Layer 7. Parser: the way in, from bytes to what a server says. It is a reader of the read path,
 * and knows no socket.
 *
 *     INFO {…}            → Info
 *     MSG  <subject> <sid> [reply] <size>␍␊<payload>␍␊                  → NatsMessage
 *     HMSG <subject> <sid> [reply] <header> <total>␍␊<header><payload>␍␊ → NatsMessage
 *     PING  PONG  +OK  -ERR '…'   → 'ping' 'pong' 'ok' Refusal
 *
 * The order of the calls: next → #message (#words, #whole) or #other (readLine)
 *
 * Rules:
 * 1. Verbs have no case; blanks and tabs, one or more, are between words and may end a line.
 * 2. A line has at most LINE bytes, and a message at most `maxSize`. What is longer is refused when
 *    it is announced; memory is taken for what has come, never for what was announced.
 * 3. What is wrong throws a NatsError (ERR_NATS_PROTOCOL): nothing that follows means anything.
 * 4. A message is not decoded (message.ts). Its line is looked at once, byte by byte.
 */

import type { Buffer } from 'node:buffer'
import { NEED_MORE, type OwnReader, type Reader, READER } from '../../core/reading/readers.ts'
import type { RecvBuffer } from '../../core/reading/recv-buffer.ts'
import { show } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import { NatsError } from './errors.ts'
import { NatsMessage, type Publisher } from './message.ts'

/** What a server says of itself, when a client connects and whenever that changes. */
export interface NatsServerInfo {
  /** A number of the server, different for each start. */
  readonly server_id: string
  /** The name of the server. */
  readonly server_name: string
  /** Its version, such as `2.9.10`. */
  readonly version: string
  /** The most bytes of one message, header included. */
  readonly max_payload: Bytes
  /** Does it know headers? */
  readonly headers: boolean
  /** Does it keep messages (JetStream)? */
  readonly jetstream: boolean
  /** The other servers of its cluster, as `host:port`. */
  readonly connect_urls: readonly string[]
  /** What is to be signed to log in by a key; `''` if it asks for none. */
  readonly nonce: string
  /** Must a client log in? */
  readonly auth_required: boolean
  /** Must TLS begin after this line? */
  readonly tls_required: boolean
  /** May it? */
  readonly tls_available: boolean
  /** Does the server stop soon (lame duck)? */
  readonly ldm: boolean
}

/** The server says who it is. */
export class Info {
  readonly info: NatsServerInfo

  constructor(info: NatsServerInfo) {
    this.info = info
  }
}

/** The server says what is wrong. */
export class Refusal {
  readonly said: string

  constructor(said: string) {
    this.said = said
  }
}

/** What a server says. */
export type Incoming = NatsMessage | Info | Refusal | 'ping' | 'pong' | 'ok'

/** A line is at most this long: the INFO of a cluster of ten thousand servers. */
const LINE: Bytes = 1024 * 1024

/** The most numbers of #marks that a line of words has: two for each of five words. */
const MARKS = 10

const TAB = 9
const LF = 10
const CR = 13
const BLANK = 32

/** A `read_delimiter` for what a server says. `maxSize`: the most bytes of a message. */
export class Protocol implements OwnReader {
  readonly #publisher: Publisher
  readonly #maxSize: Bytes

  constructor(publisher: Publisher, maxSize: Bytes) {
    this.#publisher = publisher
    this.#maxSize = maxSize
  }

  [READER](): Reader {
    return new Parser(this.#publisher, this.#maxSize)
  }
}

class Parser implements Reader {
  readonly spread = false
  readonly #publisher: Publisher
  readonly #maxSize: Bytes
  /** The bytes at the start of the run that are known to have no line end. */
  #searched: Bytes = 0
  /** The size of the message whose line has come; 0 if none has. */
  #wanted: Bytes = 0
  /** Where each word of the line begins and ends. */
  readonly #marks: number[] = new Array<number>(MARKS).fill(0)

  constructor(publisher: Publisher, maxSize: Bytes) {
    this.#publisher = publisher
    this.#maxSize = maxSize
  }

  next(buffer: RecvBuffer): Incoming | typeof NEED_MORE {
    const available = buffer.end - buffer.start
    if (available === 0 || available < this.#wanted) return NEED_MORE
    if (this.#searched > 0 && !this.#hasLine(buffer)) return NEED_MORE
    buffer.show()
    switch ((buffer.bytes[buffer.start] as number) | 0x20) {
      case 0x6d: // m
        return this.#message(buffer, 0)
      case 0x68: // h
        return this.#message(buffer, 1)
      default:
        return this.#other(buffer)
    }
  }

  giveBack(): void {}

  forget(): void {
    this.#searched = this.#wanted = 0
  }

  // ---- messages ---------------------------------------------------------------------------------

  /** MSG, or with `headers` 1 HMSG. */
  #message(buffer: RecvBuffer, headers: 0 | 1): NatsMessage | typeof NEED_MORE {
    const { bytes, start, end } = buffer
    const line = this.#words(bytes, start + 3 + headers, end)
    if (line === -1) return this.#noLine(buffer)
    const words = this.#count
    if (words < 3 + headers || words > 4 + headers || !isMessage(bytes, start, headers))
      throw fault(bytes, start, line)
    const marks = this.#marks
    const sid = number(bytes, marks[2]!, marks[3]!)
    const last = 2 * words - 2
    const size = number(bytes, marks[last]!, marks[last + 1]!)
    const header = headers === 0 ? 0 : number(bytes, marks[last - 2]!, marks[last - 1]!)
    // -1 is no number.
    if (sid < 0 || size < 0 || header < 0 || header > size) throw fault(bytes, start, line)
    if (size > this.#maxSize)
      throw wrong(`a message of ${size} bytes was announced; at most ${this.#maxSize} may come`)
    return this.#whole(buffer, sid, line + 1, header, size, words === 4 + headers)
  }

  #count = 0

  /** Finds the words of a line from `at` on. Returns where its line end is, or -1. */
  #words(bytes: Buffer, at: Bytes, end: Bytes): number {
    const marks = this.#marks
    let count = 0
    let isWord = false
    for (; at < end; at++) {
      const byte = bytes[at] as number
      if (byte > BLANK) {
        if (!isWord && count < MARKS) marks[count] = at
        if (!isWord) count++
        isWord = true
      } else {
        if (isWord && count < MARKS) marks[count] = at
        if (isWord) count++
        isWord = false
        if (byte === LF) {
          this.#count = count >> 1
          return at
        }
        if (byte !== BLANK && byte !== TAB && byte !== CR) count = MARKS + 2
      }
    }
    return -1
  }

  /** The message whose payload begins there, if all of it has come. */
  #whole(
    buffer: RecvBuffer,
    sid: number,
    payload: Bytes,
    header: Bytes,
    size: Bytes,
    hasReply: boolean,
  ): NatsMessage | typeof NEED_MORE {
    const { bytes, start, end } = buffer
    const over = payload + size
    if (over + 2 > end) {
      this.#wanted = over + 2 - start
      return NEED_MORE
    }
    if (bytes[over] !== CR || bytes[over + 1] !== LF)
      throw wrong('a message is longer than was announced')
    this.#wanted = this.#searched = 0
    buffer.skip(over + 2 - start)
    const marks = this.#marks
    // prettier-ignore
    return new NatsMessage(
      this.#publisher, sid, bytes, marks[0]!, marks[1]!, hasReply ? marks[4]! : 0,
      hasReply ? marks[5]! : 0, payload, payload + header, over,
    )
  }

  // ---- lines ------------------------------------------------------------------------------------

  /** Has the line end come that was looked for before? */
  #hasLine(buffer: RecvBuffer): boolean {
    const { bytes, start, end } = buffer
    const found = bytes.indexOf(LF, start + this.#searched)
    // Beyond `end` is what was there before.
    if (found !== -1 && found < end) return true
    this.#noLine(buffer)
    return false
  }

  #noLine(buffer: RecvBuffer): typeof NEED_MORE {
    this.#searched = buffer.end - buffer.start
    if (this.#searched > LINE) throw wrong(`a line has more than ${LINE} bytes`)
    return NEED_MORE
  }

  #other(buffer: RecvBuffer): Incoming | typeof NEED_MORE {
    const { bytes, start, end } = buffer
    const found = bytes.indexOf(LF, start)
    if (found === -1 || found >= end) return this.#noLine(buffer)
    if (found - start > LINE) throw wrong(`a line has more than ${LINE} bytes`)
    this.#searched = 0
    const line = bytes.toString('utf8', start, found).trimEnd()
    const incoming = readLine(line)
    if (incoming === undefined) throw fault(bytes, start, found)
    buffer.skip(found + 1 - start)
    return incoming
  }
}

/** Is the verb of this line MSG, or with `headers` HMSG, with a blank after it? */
function isMessage(bytes: Buffer, start: Bytes, headers: 0 | 1): boolean {
  const at = start + headers
  return (
    ((bytes[at] as number) | 0x20) === 0x6d &&
    ((bytes[at + 1] as number) | 0x20) === 0x73 &&
    ((bytes[at + 2] as number) | 0x20) === 0x67 &&
    (bytes[at + 3] as number) <= BLANK
  )
}

/** A number of at most 15 digits, which a double has exactly; -1 if it is none. */
function number(bytes: Buffer, from: Bytes, to: Bytes): number {
  if (to - from > 15) return -1
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function readLine(line: string): Incoming | undefined {
  const [, verb = '', rest = ''] = /^([+-]?[a-z]+)(?:[ \t]+(.*))?$/i.exec(line) ?? []
  switch (verb.toUpperCase()) {
    case 'PING':
      return 'ping'
    case 'PONG':
      return 'pong'
    case '+OK':
      return 'ok'
    case '-ERR':
      return new Refusal(rest.replace(/^'(.*)'$/, '$1'))
    case 'INFO':
      return readInfo(rest)
  }
  return undefined
}

/** What is missing, or of another type than it should be, has the value that changes nothing. */
function readInfo(text: string): Info | undefined {
  let raw: Record<string, unknown>
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof raw !== 'object' || raw === null) return undefined
  const string = (name: string): string => (typeof raw[name] === 'string' ? raw[name] : '')
  const { max_payload: max, connect_urls: urls } = raw
  return new Info({
    server_id: string('server_id'),
    server_name: string('server_name'),
    version: string('version'),
    max_payload: Number.isSafeInteger(max) && (max as number) > 0 ? (max as number) : LINE,
    headers: raw.headers === true,
    jetstream: raw.jetstream === true,
    connect_urls: Array.isArray(urls) ? urls.filter(each => typeof each === 'string') : [],
    nonce: string('nonce'),
    auth_required: raw.auth_required === true,
    tls_required: raw.tls_required === true,
    tls_available: raw.tls_available === true,
    ldm: raw.ldm === true,
  })
}

function wrong(what: string): NatsError {
  return new NatsError('ERR_NATS_PROTOCOL', `the server does not speak NATS: ${what}`)
}

function fault(bytes: Buffer, start: Bytes, end: Bytes): NatsError {
  return wrong(`it said ${show(bytes.toString('latin1', start, Math.min(end, start + 80)))}`)
}
