/**
 * Layer 1. The way of written data to the transport.
 *
 * Read it from top to bottom: add, push → flush → drained → emptied.
 *
 * Rules:
 * 1. `push` only queues. The engine flushes every channel that was written to once a turn of the loop, after the turn's
 *    reads, so that a hundred small writes are one system call. Only what a hook leaves behind that is large goes at once.
 * 2. Small writes become one run: text stays text while only text is written (appending is what V8 does best), and
 *    becomes bytes as soon as small bytes come between. Large bytes are passed on as they are, without a copy.
 * 3. One queue keeps the order of everything. It does not look inside an item: an item is handed the transport and says
 *    how far it has come. To send a new kind of thing, write one more `SendItem`.
 * 4. The states: 'ready'; 'full', the transport has not handed over yet what it was given last; 'starved', the item
 *    whose turn it is has no bytes yet.
 */

import { Buffer } from 'node:buffer'
import { InvalidDelimiterError } from '../errors.ts'
import type { Transport } from '../transport.ts'
import type { Bytes, Data, Encoding } from '../types.ts'

/** One thing in the queue: bytes, a part of a file, "TLS starts here". */
export interface SendItem {
  /** The bytes it holds in memory; does not change. */
  readonly size: Bytes
  /** Must the program wait for it, whatever its size? (A file is large, and not in memory.) */
  readonly isLong: boolean
  /**
   * Gives the transport its next piece. 'sent': that was the last. 'more': there is more at once. 'starved': there is nothing yet;
   * it calls `wake` when there is. 'behind': nothing may be on its way before it, ask again when the system has taken all. What it throws goes to `on_write_error`, and the item is dropped.
   */
  send(transport: Transport, wake: () => void): 'sent' | 'more' | 'starved' | 'behind'
  /** It will not be sent (any more): lets go of what it holds. */
  drop(): void
}

/** Who is told. */
export interface WriteOwner {
  /** There is something to flush, for the first time since the last flush. */
  queued(): void
  /** The transport has not handed over everything that it was given. No hook may be called in here. */
  filled(): void
  /** Everything that was written has been handed to the system. */
  emptied(): void
  write_failed(error: unknown): void
}

/** What writes values into a run of small writes; see `Delimiter`. */
export interface IntoPacker {
  pack(...values: any[]): Uint8Array
  pack_into(target: Buffer, at: Bytes, ...values: any[]): Bytes
}

/** Bytes up to this size are copied into a run, larger ones passed on: a copy of this size costs less than a write of its own. */
const SMALL: Bytes = 4096

/** The first size of a byte run, until one was larger: what a few answers to small messages take. */
const RUN: Bytes = 1024

/** Up to this many characters are written one by one. */
const SHORT = 8

/** How much is handed over in one go: one system call's worth. */
const BATCH: Bytes = 65536

/** From so many bytes on a system call moves more than it costs. */
const LARGE: Bytes = 2048

/** The most bytes that one UTF-16 unit of a string becomes in any encoding. */
const MOST_PER_UNIT = 3

/** Two texts in these, one after the other, are not one text. */
const NO_TEXT: ReadonlySet<Encoding> = new Set(['hex', 'base64', 'base64url'])

/** So many idle ones are kept: those of a broadcast to a thousand. */
const IDLE_MAX = 1024

/** Whom an idle one works for: it has nothing to say. */
const NOBODY = {} as WriteOwner

/** Nearly all of a thousand connections have nothing to send at any moment: they need no queue. */
const idle: WritePath[] = []

export class WritePath {
  #owner: WriteOwner
  readonly #queue: SendItem[] = []
  #transport: Transport | undefined
  #state: 'ready' | 'full' | 'starved' = 'ready'
  /** Bytes of #queue, and how many of its items are long (to look through all of them at each write would be quadratic). */
  #queued: Bytes = 0
  #longs = 0

  /** The run that small writes are added to: text, or bytes[0..used), never both. */
  #encoding: Encoding = 'utf8'
  /** Text of so many bytes, and text behind it whose bytes are not counted: that is put off until it matters. */
  #text = ''
  #counted: Bytes = 0
  #fresh = ''
  /** So long may #fresh become with nothing else to be looked at; -1: look. This is what makes a small write cheap. */
  #spare = -1
  #bytes: Buffer | undefined
  #used: Bytes = 0
  /** As large as the last run became: the next one probably will too. */
  #runSize: Bytes = RUN

  /** Was anything written since `emptied` was last reported? */
  #isDirty = false
  /** Has `queued` been reported since the last flush? */
  #isAnnounced = false

  constructor(owner: WriteOwner) {
    this.#owner = owner
  }

  open(transport: Transport): void {
    this.#transport = transport
    this.#state = 'ready'
  }

  /** One that works for this owner, until it is given back. */
  static borrow(owner: WriteOwner, transport: Transport): WritePath {
    const path = idle.pop() ?? new WritePath(owner)
    path.#owner = owner
    path.open(transport)
    return path
  }

  /** Takes an idle one back: it can work for another channel. Whoever gave it writes to `NO_WRITES` until it borrows again. */
  static takeBack(path: WritePath): void {
    path.#transport = undefined
    path.#owner = NOBODY
    if (idle.length < IDLE_MAX) idle.push(path)
  }

  /** Has everything that was written gone? */
  get isEmpty(): boolean {
    return !this.#isDirty
  }

  /** Does everything wait for the transport? */
  get isFull(): boolean {
    return this.#state === 'full'
  }

  /** Bytes that were written and that the system has not taken. */
  get size(): Bytes {
    this.#count()
    return this.#queued + this.#counted + this.#used + (this.#state === 'full' ? (this.#transport as Transport).bytes_queued : 0)
  }

  /** Are `limit` bytes or more queued, or something long? Cheap far below the limit. */
  reaches(limit: Bytes): boolean {
    const sure = this.#queued + this.#counted + this.#used
    if (this.#state === 'ready' && this.#queue.length === 0 && sure + this.#fresh.length * mostPerUnit(this.#encoding) < limit) return false
    return this.#longs > 0 || this.size >= limit
  }

  // ---- push -------------------------------------------------------------------------------------------------------

  /** Adds text where that is all there is to do. False: it was not; `push` it. */
  add(text: string): boolean {
    if (this.#fresh.length + text.length > this.#spare) return false
    this.#fresh += text
    return true
  }

  /** Lets `add` take text, in the encoding of the last `push`, as long as less than `limit` bytes can be queued then. */
  grant(limit: Bytes): void {
    // Without text, the last push may have been nothing at all in an encoding that is not #encoding.
    if (this.#state !== 'ready' || this.#queue.length > 0 || (this.#text === '' && this.#fresh === '')) return
    this.#spare = Math.floor((limit - 1 - this.#counted) / mostPerUnit(this.#encoding))
  }

  /** From now on every write has to be looked at: the encoding changes, or the channel closes. */
  revoke(): void {
    this.#spare = -1
  }

  push(data: Data, encoding: Encoding): void {
    this.revoke()
    if (typeof data !== 'string') this.#pushBytes(data)
    else if (this.#used > 0 || encoding !== this.#encoding) this.#pushOtherText(data, encoding)
    else {
      if (this.#state !== 'ready') this.#packText()
      this.#fresh += data
    }
    this.#announce()
  }

  /** Values that a Packer writes straight into the run. */
  pushPacked(packer: IntoPacker, values: readonly unknown[]): void {
    this.revoke()
    this.#textToBytes()
    this.#bytes = this.#room(1)
    const size = packer.pack_into(this.#bytes, this.#used, ...values)
    if (!Number.isSafeInteger(size) || size < 0) throw new InvalidDelimiterError(`pack_into() must return a number of bytes; it returned ${size}`, packer)
    if (size > SMALL) return this.push(packer.pack(...values), 'utf8')
    if (this.#used + size > this.#bytes.length) {
      this.#bytes = this.#room(size)
      packer.pack_into(this.#bytes, this.#used, ...values)
    }
    this.#used += size
    this.#announce()
  }

  pushItem(item: SendItem): void {
    this.revoke()
    this.#endRun()
    this.#enqueue(item)
    this.#announce()
  }

  #announce(): void {
    this.#isDirty = true
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#owner.queued()
  }

  #pushBytes(data: Uint8Array): void {
    if (data.length > SMALL) {
      this.#endRun()
      this.#enqueue(new BytesItem(data))
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
      const written = encoding === 'utf16le' ? 0 : writeAscii(this.#bytes, this.#used, data)
      this.#used += written || this.#bytes.write(data, this.#used, encoding)
      return
    }
    this.#endRun()
    this.#encoding = encoding
    this.#fresh = data
  }

  #textToBytes(): void {
    this.#count()
    if (this.#text === '') return
    if (this.#counted > SMALL) return this.#endRun()
    this.#bytes = this.#room(this.#counted)
    this.#used = this.#bytes.write(this.#text, 0, this.#encoding)
    this.#forgetText()
  }

  /** The byte run, with room for `size` more bytes. */
  #room(size: Bytes): Buffer {
    if (this.#bytes !== undefined && this.#used + size <= this.#bytes.length) return this.#bytes
    // The run is never used again after it was handed over: the transport may still hold it.
    const grown = Buffer.allocUnsafe(Math.max(this.#runSize, 2 * (this.#used + size)))
    if (this.#bytes !== undefined) this.#bytes.copy(grown, 0, 0, this.#used)
    return grown
  }

  #endRun(): void {
    this.#count()
    if (this.#text !== '') {
      this.#enqueue(new TextItem(this.#text, this.#encoding, this.#counted))
      this.#forgetText()
    } else if (this.#used > 0) {
      this.#enqueue(new BytesItem((this.#bytes as Buffer).subarray(0, this.#used)))
      this.#runSize = Math.min(Math.max(RUN, this.#used), BATCH)
      this.#bytes = undefined
      this.#used = 0
    }
  }

  /**
   * Text that has to wait becomes bytes, a batch at a time: V8 keeps what grew by small pieces as a tree of them. (Measured: 16 MiB of lines of 5
   * bytes, for a peer that never reads, were 103 MiB of heap. So no bound that counts bytes was one.)
   */
  #packText(): void {
    this.#count()
    // Not between two halves of a character, which are not what they become together.
    if (this.#counted < BATCH || isHighHalf(this.#text.charCodeAt(this.#text.length - 1))) return
    this.#enqueue(new BytesItem(Buffer.from(this.#text, this.#encoding)))
    this.#forgetText()
  }

  #enqueue(item: SendItem): void {
    this.#queue.push(item)
    this.#queued += item.size
    if (item.isLong) this.#longs++
  }

  #dequeue(): void {
    const item = this.#queue.shift() as SendItem
    this.#queued -= item.size
    if (item.isLong) this.#longs--
  }

  /** Counts what was not counted: each text once, however often it is asked. */
  #count(): void {
    if (this.#fresh === '') return
    this.#counted += this.#sizeBehind(this.#fresh)
    this.#text += this.#fresh
    this.#fresh = ''
    this.#spare = -1
  }

  /** The bytes that `data` makes #text longer by. Two halves of one character are 4 bytes in UTF-8 where they meet, 3 each alone. */
  #sizeBehind(data: string): Bytes {
    const size = Buffer.byteLength(data, this.#encoding)
    if (this.#encoding !== 'utf8' || (data.charCodeAt(0) & 0xfc00) !== 0xdc00) return size
    // Only now: to look at the end of a long text makes one string of all its parts.
    return isHighHalf(this.#text.charCodeAt(this.#text.length - 1)) ? size - 2 : size
  }

  #forgetText(): void {
    this.#text = ''
    this.#counted = 0
    this.#fresh = ''
    this.#spare = -1
  }

  // ---- flush ------------------------------------------------------------------------------------------------------

  /** Hands over what the transport takes now. That this was everything, `settle` reports. */
  flush(): void {
    this.#isAnnounced = false
    this.#spare = -1
    if (this.#state !== 'ready' || this.#transport === undefined) return
    const text = this.#text + this.#fresh
    if (this.#queue.length > 0 || text === '') {
      this.#endRun()
      this.#flushQueue(this.#transport)
      return
    }
    // The usual case, without an item: one run of text.
    this.#forgetText()
    if (!this.#transport.write(text, this.#encoding)) this.#fill()
  }

  /**
   * Flushes what is worth a system call of its own, without waiting for the end of the turn: what was just written is
   * still in the processor's cache, and the peer has something to do. (Measured with 100 lines outstanding: 5 % less time a line.)
   */
  flushLarge(): void {
    if (this.#queued + this.#counted + this.#fresh.length + this.#used >= LARGE) this.flush()
  }

  #flushQueue(transport: Transport): void {
    // After a reset in the middle the transport is no longer ours.
    while (this.#transport === transport && this.#state === 'ready' && this.#queue.length > 0) {
      const isCorked = this.#queue.length > 1
      if (isCorked) transport.cork()
      // At least one piece each time: this ends whatever the transport says of its queue.
      while (this.#sendFirst(transport) && this.#queue.length > 0 && transport.bytes_queued < BATCH);
      if (isCorked) transport.uncork()
      if (this.#transport === transport && transport.bytes_queued > 0) this.#fill()
    }
  }

  #fill(): void {
    this.#state = 'full'
    this.#owner.filled()
  }

  /** One piece of the first item. False: no more for now. */
  #sendFirst(transport: Transport): boolean {
    const item = this.#queue[0] as SendItem
    try {
      const outcome = item.send(transport, () => this.#woken())
      if (outcome === 'sent') this.#dequeue()
      if (outcome === 'starved') this.#state = 'starved'
      return outcome === 'sent' || outcome === 'more'
    } catch (error) {
      // First it leaves the queue: the owner may write and flush, or close.
      this.#dequeue()
      item.drop()
      this.#owner.write_failed(error)
      return this.#transport === transport && this.#state === 'ready'
    }
  }

  #woken(): void {
    if (this.#state !== 'starved') return
    this.#state = 'ready'
    this.flush()
    this.settle()
  }

  // ---- drained ----------------------------------------------------------------------------------------------------

  /** The transport has handed over everything. */
  drained(): void {
    if (this.#state !== 'full') return
    this.#state = 'ready'
    this.flush()
    this.settle()
  }

  // ---- emptied ----------------------------------------------------------------------------------------------------

  /** Reports `emptied` if everything that was written has gone. Not done by `flush` itself, so that no hook runs inside a write. */
  settle(): void {
    if (!this.#isDirty || this.#state !== 'ready' || this.#queue.length > 0 || this.#text !== '' || this.#fresh !== '' || this.#used > 0) return
    this.#isDirty = false
    this.#owner.emptied()
  }

  // ---- reset ------------------------------------------------------------------------------------------------------

  /** Drops everything. */
  reset(): void {
    for (const item of this.#queue) item.drop()
    this.#queue.length = 0
    this.#queued = 0
    this.#longs = 0
    this.#forgetText()
    this.#bytes = undefined
    this.#used = 0
    this.#transport = undefined
    this.#state = 'ready'
    this.#isDirty = false
    this.#isAnnounced = false
  }
}

/** Of a channel that has written nothing: there is nothing in it, and it takes nothing. */
export const NO_WRITES = new WritePath(NOBODY)

/** Of the two units of a character that takes two in UTF-16, the first. */
function isHighHalf(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800
}

function mostPerUnit(encoding: Encoding): Bytes {
  return encoding === 'utf8' ? MOST_PER_UNIT : encoding === 'utf16le' ? 2 : 1
}

/** A line end behind bytes is so short that calling into C++ for it costs more than this; 0: it was not short, or not ASCII. */
function writeAscii(bytes: Buffer, at: Bytes, text: string): Bytes {
  const { length } = text
  if (length > SHORT) return 0
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return 0
    bytes[at + i] = unit
  }
  return length
}

/** Bytes that are sent as they are. */
class BytesItem implements SendItem {
  readonly isLong = false
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get size(): Bytes {
    return this.#bytes.length
  }

  send(transport: Transport): 'sent' {
    transport.write(this.#bytes, 'utf8')
    return 'sent'
  }

  drop(): void {}
}

/** A run of text that something else was written behind. */
class TextItem implements SendItem {
  readonly isLong = false
  readonly size: Bytes
  readonly #text: string
  readonly #encoding: Encoding

  constructor(text: string, encoding: Encoding, size: Bytes) {
    this.#text = text
    this.#encoding = encoding
    this.size = size
  }

  send(transport: Transport): 'sent' {
    transport.write(this.#text, this.#encoding)
    return 'sent'
  }

  drop(): void {}
}
