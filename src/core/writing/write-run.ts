/**
 * Layer 1. WriteRun: collects small writes so that they go out as one. It accepts everything that
 * is written, and hands on items: a run that has ended, and large bytes as they are.
 *
 * At any moment a run is one of these three, and never two:
 *
 *     empty
 *     text    [ #text, #textSize bytes  | #uncounted ]    in #encoding
 *     bytes   [ #bytes[0 … #used)       | free memory ]   #used > 0
 *
 * Read it from top to bottom: add (if granted) or push → end, or takeText.
 *
 * The grant: from `grant` to `revoke` a write may skip every check, because nothing that a check
 * looks at can have changed. So whatever changes the state of the channel, its encoding, its bounds
 * or the kind of the run must revoke. Everything in here that changes the run does so itself.
 *
 * Rules:
 * 1. Text stays text while only text is written, because V8 is fastest at appending. It becomes
 *    bytes when small bytes are written after it.
 * 2. Text is counted once, and only when its size matters: the bytes that it takes in UTF-8 are
 *    known only by looking at all of it.
 * 3. The memory of a run is never used again after it was handed on: the transport may still need
 *    it.
 */

import { Buffer } from 'node:buffer'
import { InvalidDelimiterError } from '../../errors.ts'
import type { Bytes, Data, Encoding } from '../../types.ts'
import { BytesItem, type SendItem, TextItem } from './send-item.ts'
import { textBytes } from './text-bytes.ts'

/** An object that writes values into a run: a `Delimiter` with `pack_into`. */
export interface IntoPacker {
  pack(...values: any[]): Uint8Array
  pack_into(target: Buffer, at: Bytes, ...values: any[]): Bytes
}

/**
 * Bytes up to this size are copied into a run, larger ones are handed on. Copying this much costs
 * less than a write of its own.
 */
const SMALL: Bytes = 4096

/** The size of the first memory of bytes: room for a few answers to small messages. */
const FIRST: Bytes = 1024

/**
 * What one system call takes: the largest size of first memory, and how much waiting text becomes
 * bytes together.
 */
const BATCH: Bytes = 65536

/** Text of up to this many characters is written one by one after bytes. */
const SHORT = 8

/** The value of #granted if nothing is granted: every write must be pushed. */
const NOTHING = -1

/** The most bytes that one UTF-16 unit of a string becomes in any encoding. */
const MOST_PER_UNIT = 3

/** Encodings in which two texts, one after the other, are not one text. */
const NO_TEXT: ReadonlySet<Encoding> = new Set(['hex', 'base64', 'base64url'])

export class WriteRun {
  readonly #handOn: (item: SendItem) => void
  #encoding: Encoding = 'utf8'
  #text = ''
  #textSize: Bytes = 0
  #uncounted = ''
  #bytes: Buffer | undefined
  #used: Bytes = 0
  /** The length that #uncounted, or #used, may reach by `add`; NOTHING if all must be pushed. */
  #granted = NOTHING
  /** The size of the next memory: the next run will probably be as large as the last one. */
  #first: Bytes = FIRST

  constructor(handOn: (item: SendItem) => void) {
    this.#handOn = handOn
  }

  get isEmpty(): boolean {
    return this.#uncounted === '' && this.#text === '' && this.#used === 0
  }

  /** Its bytes. Counts what was not counted. */
  get size(): Bytes {
    this.#count()
    return this.#textSize + this.#used
  }

  /** The bytes that it has at least, without counting. */
  get least(): Bytes {
    return this.#textSize + this.#uncounted.length + this.#used
  }

  /** The bytes that it has at most, without counting. */
  get most(): Bytes {
    return this.#textSize + this.#uncounted.length * mostPerUnit(this.#encoding) + this.#used
  }

  // ---- add: without a check, if that was granted ------------------------------------------------

  /** Adds data. Returns false if that was not granted; `push` it then. */
  add(data: Data): boolean {
    if (typeof data !== 'string') return this.#addBytes(data)
    if (this.#used > 0 || this.#uncounted.length + data.length > this.#granted)
      return this.#addShort(data)
    this.#uncounted += data
    return true
  }

  #addBytes(data: Uint8Array): boolean {
    if (this.#used === 0 || !(data instanceof Uint8Array)) return false
    if (this.#used + data.length > this.#granted) return false
    ;(this.#bytes as Buffer).set(data, this.#used)
    this.#used += data.length
    return true
  }

  /** Text after bytes. A line end is so short that a call into C++ for it would cost more. */
  #addShort(text: string): boolean {
    const { length } = text
    if (this.#used === 0 || length > SHORT || this.#used + length > this.#granted) return false
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return false
      ;(this.#bytes as Buffer)[this.#used + i] = unit
    }
    this.#used += length
    return true
  }

  /** Adds values that a packer writes straight into the run. False: `pushPacked` them. */
  addPacked(packer: IntoPacker, values: readonly unknown[]): boolean {
    if (this.#used === 0 || this.#granted === NOTHING) return false
    const size = this.#pack(packer, values)
    if (this.#used + size > this.#granted) return false
    this.#used += size
    return true
  }

  /**
   * Grants `add` all data in `encoding` (that of the last `push`) while the run stays below `limit`
   * bytes.
   */
  grant(limit: Bytes, encoding: Encoding): void {
    if (this.#used > 0)
      this.#granted = holdsAscii(encoding)
        ? Math.min(limit - 1, (this.#bytes as Buffer).length)
        : NOTHING
    // If there is no text either, the last push may have been an empty one in another encoding.
    else if (!this.isEmpty)
      this.#granted = Math.floor((limit - 1 - this.#textSize) / mostPerUnit(this.#encoding))
  }

  /** From now on every write must be pushed. */
  revoke(): void {
    this.#granted = NOTHING
  }

  // ---- push: in every case ----------------------------------------------------------------------

  /** Adds data; text in `encoding`. Throws InvalidArgumentError for text that is not of it. */
  push(data: Data, encoding: Encoding): void {
    this.revoke()
    if (typeof data !== 'string') this.#pushBytes(data)
    else if (this.#used > 0 || encoding !== this.#encoding) this.#pushOtherText(data, encoding)
    else this.#uncounted += data
  }

  /** Adds values that a packer writes straight into the run. */
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

  /** Packs at #used. Returns the size; if the memory ends before that, nothing was written. */
  #pack(packer: IntoPacker, values: readonly unknown[]): Bytes {
    const bytes = this.#bytes as Buffer
    const at = this.#used
    const size = packer.pack_into(bytes, at, ...values)
    if (!Number.isSafeInteger(size) || size < 0)
      throw new InvalidDelimiterError(
        `pack_into() must return a number of bytes; it returned ${size}`,
        packer,
      )
    const isAlone = this.#bytes === bytes && this.#used === at && this.#uncounted === ''
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

  /** Text after bytes, or in another encoding than the text before it. */
  #pushOtherText(data: string, encoding: Encoding): void {
    if (NO_TEXT.has(encoding)) return this.#pushBytes(textBytes('write: data', data, encoding))
    if (this.#used > 0 && data.length * MOST_PER_UNIT <= SMALL) {
      this.#bytes = this.#room(data.length * MOST_PER_UNIT)
      this.#used += this.#bytes.write(data, this.#used, encoding)
      return
    }
    this.end()
    this.#encoding = encoding
    this.#uncounted = data
  }

  #textToBytes(): void {
    this.#count()
    if (this.#text === '') return
    if (this.#textSize > SMALL) return this.end()
    this.#bytes = this.#room(this.#textSize)
    this.#used = this.#bytes.write(this.#text, 0, this.#encoding)
    this.#forgetText()
  }

  /** The memory, grown if it has no room for `size` more bytes. */
  #room(size: Bytes): Buffer {
    if (this.#bytes !== undefined && this.#used + size <= this.#bytes.length) return this.#bytes
    const grown = Buffer.allocUnsafe(Math.max(this.#first, 2 * (this.#used + size)))
    if (this.#bytes !== undefined) this.#bytes.copy(grown, 0, 0, this.#used)
    return grown
  }

  /** Counts what was not counted. Each text is counted once, however often this is called. */
  #count(): void {
    if (this.#uncounted === '') return
    this.#textSize += this.#sizeAfterText(this.#uncounted)
    this.#text += this.#uncounted
    this.#uncounted = ''
    this.revoke()
  }

  /**
   * The bytes that `data` adds to #text. Two halves of one character are 4 bytes in UTF-8 if they
   * meet, and 3 bytes each if not.
   */
  #sizeAfterText(data: string): Bytes {
    const size = Buffer.byteLength(data, this.#encoding)
    if (this.#encoding !== 'utf8' || (data.charCodeAt(0) & 0xfc00) !== 0xdc00) return size
    // Tested last: looking at the end of a long text makes V8 join all its parts.
    return this.#endsInHalf() ? size - 2 : size
  }

  /** Is the last unit of #text the first half of a character? */
  #endsInHalf(): boolean {
    return (this.#text.charCodeAt(this.#text.length - 1) & 0xfc00) === 0xd800
  }

  #forgetText(): void {
    this.#text = ''
    this.#textSize = 0
    this.#uncounted = ''
    this.revoke()
  }

  // ---- end --------------------------------------------------------------------------------------

  /** Hands the run on as an item. The next write begins another run. */
  end(): void {
    this.revoke()
    this.#count()
    if (this.#text !== '') {
      this.#handOn(new TextItem(this.#text, this.#encoding, this.#textSize))
      this.#forgetText()
    } else if (this.#used > 0) {
      this.#handOn(new BytesItem((this.#bytes as Buffer).subarray(0, this.#used)))
      this.#first = Math.min(Math.max(FIRST, this.#used), BATCH)
      this.#bytes = undefined
      this.#used = 0
    }
  }

  /**
   * The usual case, without an item: removes the text of the run and returns it, in `encoding`.
   * Returns '' if the run is not text.
   */
  takeText(): string {
    const text = this.#text + this.#uncounted
    this.#forgetText()
    return text
  }

  /** The encoding of the text. */
  get encoding(): Encoding {
    return this.#encoding
  }

  /**
   * Text that must wait becomes bytes, a batch at a time. V8 keeps text that grew by small pieces
   * as a tree of them: 16 MiB of lines of 5 bytes, for a peer that never reads, were measured at
   * 103 MiB of heap, which no bound in bytes would notice.
   */
  wait(): void {
    this.#count()
    // Not between two halves of a character: each alone would become something else.
    if (this.#textSize < BATCH || this.#endsInHalf()) return
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

/** Is ASCII one byte per character in this encoding? */
function holdsAscii(encoding: Encoding): boolean {
  return encoding === 'utf8' || encoding === 'latin1' || encoding === 'ascii'
}
