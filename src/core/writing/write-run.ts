/**
 * Layer 1. WriteRun: collects small writes so that they go out as one. It accepts everything that
 * is written, and hands on items: a run that has ended, and large bytes as they are.
 *
 * At any moment a run is one of these four, and never two:
 *
 *     empty
 *     text    [ #text, #textSize bytes  | #uncounted ]    in #encoding
 *     whole   [ #whole ]                                  the bytes of one write, as they are
 *     bytes   [ #bytes[0 … #used)       | free memory ]   #used > 0
 *
 * Read it from top to bottom: add (if granted) or push → end, or takeText, or takeBytes.
 *
 * The grant: from `grant` to `revoke` a write may skip every check, because nothing that a check
 * looks at can have changed. So whatever changes the state of the channel, its encoding, its bounds
 * or the kind of the run must revoke. Everything in here that changes the run does so itself.
 *
 * Rules:
 * 1. Text stays text while only text is written, because V8 is fastest at appending. It becomes
 *    bytes when small bytes are written after it. Small bytes are copied when something is written
 *    after them: a broadcast gives a thousand runs the same bytes, and nothing more.
 * 2. Text is counted once, and only when its size matters: the bytes that it takes in UTF-8 are
 *    known only by looking at all of it.
 * 3. The memory of a run is never used again after it was handed on: the transport may still need
 *    it.
 */

import { Buffer } from 'node:buffer'
import { InvalidDelimiterError } from '../../errors.ts'
import type { Bytes, Data, Encoding } from '../../types.ts'
import { BytesItem, type SendItem, TextItem } from './send-item.ts'
import {
  bytesAfter,
  canJoin,
  endsInHalf,
  holdsAscii,
  MOST_PER_UNIT,
  mostPerUnit,
  textBytes,
} from './text-bytes.ts'

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

/** The value of #granted if every write must be pushed. */
const NOTHING = -1

export class WriteRun {
  readonly #handOn: (item: SendItem) => void
  #encoding: Encoding = 'utf8'
  #text = ''
  #textSize: Bytes = 0
  #uncounted = ''
  #whole: Uint8Array | undefined
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
    return !this.#hasText() && this.#used === 0 && this.#whole === undefined
  }

  /** Its bytes. Counts what was not counted. */
  get size(): Bytes {
    this.#count()
    return this.#textSize + this.#used + this.#wholeSize()
  }

  /** The bytes that it has at least, without counting. */
  get least(): Bytes {
    return this.#textSize + this.#uncounted.length + this.#used + this.#wholeSize()
  }

  /** The bytes that it has at most, without counting. */
  get most(): Bytes {
    return this.least + this.#uncounted.length * (mostPerUnit(this.#encoding) - 1)
  }

  #hasText(): boolean {
    return this.#uncounted !== '' || this.#text !== ''
  }

  #wholeSize(): Bytes {
    return this.#whole === undefined ? 0 : this.#whole.length
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
    else if (this.#hasText())
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
    if (this.#whole !== undefined) this.#copyWhole()
    if (typeof data !== 'string') this.#pushBytes(data)
    else if (this.#used > 0 || encoding !== this.#encoding) this.#pushOtherText(data, encoding)
    else this.#uncounted += data
  }

  /** Adds values that a packer writes straight into the run. */
  pushPacked(packer: IntoPacker, values: readonly unknown[]): void {
    this.revoke()
    if (this.#whole !== undefined) this.#copyWhole()
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
    // Written out for one value: V8 does not inline a call that spreads an array.
    const size =
      values.length === 1
        ? packer.pack_into(bytes, at, values[0])
        : packer.pack_into(bytes, at, ...values)
    if (!Number.isSafeInteger(size) || size < 0)
      throw misused(packer, `return a number of bytes; it returned ${size}`)
    const isSame = this.#bytes === bytes && this.#used === at
    const isAlone = isSame && this.#uncounted === '' && this.#whole === undefined
    if (!isAlone) throw misused(packer, 'not write to the channel that it packs for')
    return size
  }

  #pushBytes(data: Uint8Array): void {
    if (data.length > SMALL) {
      this.end()
      this.#handOn(new BytesItem(data))
      return
    }
    if (this.isEmpty) return void (this.#whole = data)
    this.#textToBytes()
    this.#bytes = this.#room(data.length)
    this.#bytes.set(data, this.#used)
    this.#used += data.length
  }

  /** Something is written after it. */
  #copyWhole(): void {
    const whole = this.#whole as Uint8Array
    this.#whole = undefined
    this.#bytes = this.#room(whole.length)
    this.#bytes.set(whole, 0)
    this.#used = whole.length
  }

  /** Text after bytes, or in another encoding than the text before it. */
  #pushOtherText(data: string, encoding: Encoding): void {
    if (!canJoin(encoding)) return this.#pushBytes(textBytes('write: data', data, encoding))
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

  /** The memory, grown if `size` more bytes do not fit. */
  #room(size: Bytes): Buffer {
    if (this.#bytes !== undefined && this.#used + size <= this.#bytes.length) return this.#bytes
    const grown = Buffer.allocUnsafe(Math.max(this.#first, 2 * (this.#used + size)))
    if (this.#bytes !== undefined) this.#bytes.copy(grown, 0, 0, this.#used)
    return grown
  }

  /** Counts what was not counted. Each text is counted once, however often this is called. */
  #count(): void {
    if (this.#uncounted === '') return
    this.#textSize += bytesAfter(this.#text, this.#uncounted, this.#encoding)
    this.#text += this.#uncounted
    this.#uncounted = ''
    this.revoke()
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
      return
    }
    const bytes = this.takeBytes()
    if (bytes !== undefined) this.#handOn(new BytesItem(bytes))
  }

  /** Without an item: removes the text of the run and returns it. '' if the run is not text. */
  takeText(): string {
    const text = this.#text + this.#uncounted
    this.#forgetText()
    return text
  }

  /** The same for bytes. Returns `undefined` if the run is text, or empty. */
  takeBytes(): Uint8Array | undefined {
    const whole = this.#whole
    this.#whole = undefined
    if (whole !== undefined || this.#used === 0) return whole
    const bytes = (this.#bytes as Buffer).subarray(0, this.#used)
    this.#first = Math.min(Math.max(FIRST, this.#used), BATCH)
    this.#bytes = undefined
    this.#used = 0
    this.revoke()
    return bytes
  }

  /** That of the text. */
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
    if (this.#textSize < BATCH || endsInHalf(this.#text)) return
    this.#handOn(new BytesItem(Buffer.from(this.#text, this.#encoding)))
    this.#forgetText()
  }

  /** Drops it. */
  clear(): void {
    this.#forgetText()
    this.#whole = this.#bytes = undefined
    this.#used = 0
  }
}

/** What the `pack_into` of a program must do. */
function misused(packer: IntoPacker, must: string): InvalidDelimiterError {
  return new InvalidDelimiterError(`pack_into() must ${must}`, packer)
}
