/**
 * Layer 1. A run: small writes that go out as one. It takes whatever is written, and hands items
 * on: a run that has ended, and large bytes as they are.
 *
 * Read it from top to bottom: add, push → end, or takeText.
 *
 * Rules:
 * 1. Text stays text while only text is written (appending is what V8 does best), and becomes bytes
 *    as soon as small bytes come between: it is text, or bytes, never both.
 * 2. Text is counted once, and not before that matters: how many bytes it is in UTF-8, only looking
 *    at all of it tells.
 * 3. The memory of a run is never used again after it was handed on: the transport may still hold
 *    it.
 */

import { Buffer } from 'node:buffer'
import { InvalidDelimiterError } from '../errors.ts'
import type { Bytes, Data, Encoding } from '../types.ts'
import { BytesItem, type SendItem, TextItem } from './send-item.ts'

/** What writes values into a run; see `Delimiter`. */
export interface IntoPacker {
  pack(...values: any[]): Uint8Array
  pack_into(target: Buffer, at: Bytes, ...values: any[]): Bytes
}

/**
 * Bytes up to this size are copied into a run, larger ones passed on: a copy of this size costs
 * less than a write of its own.
 */
const SMALL: Bytes = 4096

/**
 * The first size of a run of bytes, until one was larger: what a few answers to small messages
 * take.
 */
const FIRST: Bytes = 1024

/**
 * The largest first size, and how much waiting text becomes bytes together: one system call's
 * worth.
 */
const BATCH: Bytes = 65536

/** Up to this many characters are written one by one. */
const SHORT = 8

/** The most bytes that one UTF-16 unit of a string becomes in any encoding. */
const MOST_PER_UNIT = 3

/** Two texts in these, one after the other, are not one text. */
const NO_TEXT: ReadonlySet<Encoding> = new Set(['hex', 'base64', 'base64url'])

export class WriteRun {
  readonly #handOn: (item: SendItem) => void
  #encoding: Encoding = 'utf8'
  /** Text of so many bytes, and text behind it whose bytes are not counted. */
  #text = ''
  #counted: Bytes = 0
  #fresh = ''
  /** Bytes: #bytes[0..#used). */
  #bytes: Buffer | undefined
  #used: Bytes = 0
  /**
   * So long may #fresh, and so far may #used, become with nothing else to be looked at; -1: look.
   * This is what makes a small write cheap.
   */
  #spareText = -1
  #spareBytes: Bytes = -1
  /** As large as the last run became: the next one probably will too. */
  #first: Bytes = FIRST

  constructor(handOn: (item: SendItem) => void) {
    this.#handOn = handOn
  }

  get isEmpty(): boolean {
    return this.#fresh === '' && this.#text === '' && this.#used === 0
  }

  /** Its bytes. */
  get size(): Bytes {
    this.#count()
    return this.#counted + this.#used
  }

  /** It has at least, and at most, so many bytes: without counting. */
  get least(): Bytes {
    return this.#counted + this.#fresh.length + this.#used
  }

  get most(): Bytes {
    return this.#counted + this.#fresh.length * mostPerUnit(this.#encoding) + this.#used
  }

  // ---- add --------------------------------------------------------------------------------------

  /** Adds data where that is all there is to do. False: it was not; `push` it. */
  add(data: Data): boolean {
    if (typeof data !== 'string') return this.#addBytes(data)
    if (this.#fresh.length + data.length > this.#spareText) return this.#addShort(data)
    this.#fresh += data
    return true
  }

  #addBytes(data: Uint8Array): boolean {
    if (!(data instanceof Uint8Array) || this.#used + data.length > this.#spareBytes) return false
    ;(this.#bytes as Buffer).set(data, this.#used)
    this.#used += data.length
    return true
  }

  /** Likewise what a Packer writes straight into the run. */
  addPacked(packer: IntoPacker, values: readonly unknown[]): boolean {
    if (this.#spareBytes < 0) return false
    const size = this.#pack(packer, values)
    if (this.#used + size > this.#spareBytes) return false
    this.#used += size
    return true
  }

  /** A line end behind bytes is so short that calling into C++ for it costs more than this. */
  #addShort(text: string): boolean {
    const { length } = text
    if (length > SHORT || this.#used + length > this.#spareBytes) return false
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return false
      ;(this.#bytes as Buffer)[this.#used + i] = unit
    }
    this.#used += length
    return true
  }

  /**
   * Lets `add` take what is as `encoding` says, that of the last `push`, as long as it can be less
   * than `limit` bytes then.
   */
  grant(limit: Bytes, encoding: Encoding): void {
    if (this.#used > 0)
      this.#spareBytes = holdsAscii(encoding)
        ? Math.min(limit - 1, (this.#bytes as Buffer).length)
        : -1
    // Without text, the last push may have been nothing at all in an encoding that is not
    // #encoding.
    else if (!this.isEmpty)
      this.#spareText = Math.floor((limit - 1 - this.#counted) / mostPerUnit(this.#encoding))
  }

  /** From now on every write has to be pushed: the encoding changes, or the channel closes. */
  revoke(): void {
    this.#spareText = this.#spareBytes = -1
  }

  // ---- push -------------------------------------------------------------------------------------

  push(data: Data, encoding: Encoding): void {
    this.revoke()
    if (typeof data !== 'string') this.#pushBytes(data)
    else if (this.#used > 0 || encoding !== this.#encoding) this.#pushOtherText(data, encoding)
    else this.#fresh += data
  }

  /** Values that a Packer writes straight into the run. */
  pushPacked(packer: IntoPacker, values: readonly unknown[]): void {
    this.revoke()
    this.#textToBytes()
    this.#bytes = this.#room(1)
    const size = this.#pack(packer, values)
    if (size > SMALL) return this.push(packer.pack(...values), 'utf8')
    if (this.#used + size > this.#bytes.length) {
      this.#bytes = this.#room(size)
      this.#pack(packer, values)
    }
    this.#used += size
  }

  /** Behind what is there. Returns how much it is; where there is no room, nothing was written. */
  #pack(packer: IntoPacker, values: readonly unknown[]): Bytes {
    const bytes = this.#bytes as Buffer
    const at = this.#used
    const size = packer.pack_into(bytes, at, ...values)
    if (!Number.isSafeInteger(size) || size < 0)
      throw new InvalidDelimiterError(
        `pack_into() must return a number of bytes; it returned ${size}`,
        packer,
      )
    const isAlone = this.#bytes === bytes && this.#used === at && this.#fresh === ''
    if (!isAlone)
      throw new InvalidDelimiterError(
        'pack_into() must not write to the channel that it packs for',
        packer,
      )
    return size
  }

  #pushBytes(data: Uint8Array): void {
    if (data.length > SMALL) {
      this.end()
      this.#handOn(new BytesItem(data))
      return
    }
    this.#textToBytes()
    this.#bytes = this.#room(data.length)
    this.#bytes.set(data, this.#used)
    this.#used += data.length
  }

  /** Text behind bytes, or in another encoding than the text before it. */
  #pushOtherText(data: string, encoding: Encoding): void {
    if (NO_TEXT.has(encoding)) return this.#pushBytes(Buffer.from(data, encoding))
    if (this.#used > 0 && data.length * MOST_PER_UNIT <= SMALL) {
      this.#bytes = this.#room(data.length * MOST_PER_UNIT)
      this.#used += this.#bytes.write(data, this.#used, encoding)
      return
    }
    this.end()
    this.#encoding = encoding
    this.#fresh = data
  }

  #textToBytes(): void {
    this.#count()
    if (this.#text === '') return
    if (this.#counted > SMALL) return this.end()
    this.#bytes = this.#room(this.#counted)
    this.#used = this.#bytes.write(this.#text, 0, this.#encoding)
    this.#forgetText()
  }

  /** The bytes, with room for `size` more. */
  #room(size: Bytes): Buffer {
    if (this.#bytes !== undefined && this.#used + size <= this.#bytes.length) return this.#bytes
    const grown = Buffer.allocUnsafe(Math.max(this.#first, 2 * (this.#used + size)))
    if (this.#bytes !== undefined) this.#bytes.copy(grown, 0, 0, this.#used)
    return grown
  }

  /** Counts what was not counted: each text once, however often it is asked. */
  #count(): void {
    if (this.#fresh === '') return
    this.#counted += this.#sizeBehind(this.#fresh)
    this.#text += this.#fresh
    this.#fresh = ''
    this.#spareText = -1
  }

  /**
   * The bytes that `data` makes #text longer by. Two halves of one character are 4 bytes in UTF-8
   * where they meet, 3 each alone.
   */
  #sizeBehind(data: string): Bytes {
    const size = Buffer.byteLength(data, this.#encoding)
    if (this.#encoding !== 'utf8' || (data.charCodeAt(0) & 0xfc00) !== 0xdc00) return size
    // Only now: to look at the end of a long text makes one string of all its parts.
    return this.#endsInHalf() ? size - 2 : size
  }

  /** Is the last unit of #text the first of two that are one character? */
  #endsInHalf(): boolean {
    return (this.#text.charCodeAt(this.#text.length - 1) & 0xfc00) === 0xd800
  }

  #forgetText(): void {
    this.#text = ''
    this.#counted = 0
    this.#fresh = ''
    this.revoke()
  }

  // ---- end --------------------------------------------------------------------------------------

  /** Hands it on. The next write begins another one. */
  end(): void {
    this.revoke()
    this.#count()
    if (this.#text !== '') {
      this.#handOn(new TextItem(this.#text, this.#encoding, this.#counted))
      this.#forgetText()
    } else if (this.#used > 0) {
      this.#handOn(new BytesItem((this.#bytes as Buffer).subarray(0, this.#used)))
      this.#first = Math.min(Math.max(FIRST, this.#used), BATCH)
      this.#bytes = undefined
      this.#used = 0
    }
  }

  /**
   * The usual case, without an item: takes the text that is all there is; '' where there is none.
   * It is in `encoding`.
   */
  takeText(): string {
    const text = this.#text + this.#fresh
    this.#forgetText()
    return text
  }

  get encoding(): Encoding {
    return this.#encoding
  }

  /**
   * Text that has to wait becomes bytes, a batch at a time: V8 keeps what grew by small pieces as a
   * tree of them. (Measured: 16 MiB of lines of 5 bytes, for a peer that never reads, were 103 MiB
   * of heap. So no bound that counts bytes was one.)
   */
  wait(): void {
    this.#count()
    // Not between two halves of a character, which are not what they become together.
    if (this.#counted < BATCH || this.#endsInHalf()) return
    this.#handOn(new BytesItem(Buffer.from(this.#text, this.#encoding)))
    this.#forgetText()
  }

  /** Drops it. */
  clear(): void {
    this.#forgetText()
    this.#bytes = undefined
    this.#used = 0
  }
}

function mostPerUnit(encoding: Encoding): Bytes {
  return encoding === 'utf8' ? MOST_PER_UNIT : encoding === 'utf16le' ? 2 : 1
}

/** Is ASCII in it the bytes that it is elsewhere? */
function holdsAscii(encoding: Encoding): boolean {
  return encoding === 'utf8' || encoding === 'latin1' || encoding === 'ascii'
}
