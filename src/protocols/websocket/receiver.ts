/**
 * Layer 7. Receiver: the way in, from bytes to messages. It is a reader of the read path, so it
 * delivers one message at a time, and stops in the middle of a chunk if a hook suspends or closes
 * the connection.
 *
 * The way of a frame: bytes of the run → window (whole messages, one frame each) → deliver
 *                                      → begin → take … take → deliver (everything else)
 *
 * Rules:
 * 1. All frames of a run that are whole messages of one kind are unmasked in one pass, in place,
 *    and decoded at once if they are ASCII: one call into C++ a window, not one a message.
 * 2. What is wrong is refused at the first byte that shows it: a bit or a length in the header, a
 *    byte of text. So nothing is kept for a message that will be refused.
 * 3. It has a state only in the middle of a message (`held`). So a thousand idle connections share
 *    a few receivers.
 *
 * Refused: the delimiter contract, `cut()`. Its result must depend on the bytes alone, so a frame
 * must be there as a whole before it is looked at: text could not be checked as it comes, a large
 * frame would be copied once more, and each message would be a call of its own.
 */

import { Buffer, isUtf8 } from 'node:buffer'
import { NEED_MORE, type OwnReader, type Reader, READER } from '../../core/reading/readers.ts'
import type { RecvBuffer } from '../../core/reading/recv-buffer.ts'
import type { Bytes } from '../../types.ts'
import { Assembly } from './assembly.ts'
import {
  BINARY,
  bitsOf,
  CLOSE,
  CONTINUATION,
  CONTROL_MAX,
  FIN,
  KEY,
  MASK,
  mask,
  PING,
  PONG,
  readLength,
  RSV1,
  sizeOfHeader,
  TEXT,
  turnKey,
  unmasked,
  viewOf,
} from './frames.ts'
import { Control, Deflated, Fault, type Incoming } from './incoming.ts'
import { PingsAhead } from './pings/pings-ahead.ts'

/** How a receiver reads. */
export interface ReceiverOptions {
  /** Do frames come from a client? Then they must be masked; otherwise they must not. */
  readonly isMasked: boolean
  /** May messages be compressed? */
  readonly isDeflated: boolean
  /** The most bytes of a message, headers of further fragments included. */
  readonly maxSize: Bytes
}

/** A `read_delimiter` for WebSocket frames. */
export class Frames implements OwnReader {
  readonly options: ReceiverOptions

  constructor(options: ReceiverOptions) {
    this.options = options
  }

  [READER](): Reader {
    return new Receiver(this.options)
  }
}

/** Those that were made, as connections that read alike share their receivers. */
const made = new Map<string, Frames>()

/** As many as programs have different settings; more are made, and not shared. */
const MADE_MAX = 64

/** The `read_delimiter` for these options. */
export function framesFor(isMasked: boolean, isDeflated: boolean, maxSize: Bytes): Frames {
  const key = `${isMasked} ${isDeflated} ${maxSize}`
  const known = made.get(key)
  if (known !== undefined) return known
  const frames = new Frames({ isMasked, isDeflated, maxSize })
  if (made.size < MADE_MAX) made.set(key, frames)
  return frames
}

/** There may be more in the run. */
const AGAIN = Symbol('again')

type Step = Incoming | typeof NEED_MORE | typeof AGAIN

const TEXT_MESSAGE = FIN | TEXT
const BINARY_MESSAGE = FIN | BINARY

class Receiver implements Reader {
  readonly spread = false
  readonly #isDeflated: boolean
  readonly #max: Bytes
  /** The mask bit that every frame must have, and the size of a key. */
  readonly #maskBit: number
  readonly #keySize: Bytes

  // The window: whole messages, unmasked, at #at … #end of the run. Counted from the start of the
  // run, which may move to other memory while reads are held.
  #at: Bytes = 0
  #end: Bytes = 0
  #isText = false
  /** The window as text, if it is ASCII; #base: where its first character is in the run. */
  #text = ''
  #base: Bytes = 0

  /** The message that is not complete. */
  #assembly: Assembly | undefined
  /** The frame of it that is not complete: the bytes to come, the key of the first of them. */
  #left: Bytes = 0
  #key = 0
  #isLast = true
  /** The bytes of the headers of further fragments. */
  #overhead: Bytes = 0
  #isBroken = false
  readonly #pings = new PingsAhead()

  constructor({ isMasked, isDeflated, maxSize }: ReceiverOptions) {
    this.#isDeflated = isDeflated
    this.#max = maxSize
    this.#maskBit = isMasked ? MASK : 0
    this.#keySize = isMasked ? KEY : 0
  }

  /** The bytes of a message that is not complete. Not 0 as long as there is one. */
  get held(): Bytes {
    if (this.#isBroken) return 1
    return this.#assembly === undefined ? 0 : this.#assembly.capacity + 2
  }

  next(buffer: RecvBuffer): Incoming | typeof NEED_MORE {
    if (this.#at < this.#end) return this.#deliver(buffer)
    this.giveBack(buffer)
    for (;;) {
      const step = this.#step(buffer)
      if (step !== AGAIN) return step
    }
  }

  #step(buffer: RecvBuffer): Step {
    if (this.#isBroken) return this.#drop(buffer)
    if (this.#left > 0) return this.#take(buffer)
    if (this.#assembly === undefined && this.#open(buffer)) return this.#deliver(buffer)
    return this.#begin(buffer)
  }

  // ---- the window: whole messages ---------------------------------------------------------------

  /** Opens a window at the start of the run. Returns false if no whole message is there. */
  #open({ bytes, start, end }: RecvBuffer): boolean {
    const first = bytes[start]
    if (end - start < 2 || (first !== TEXT_MESSAGE && first !== BINARY_MESSAGE)) return false
    const view = viewOf(bytes)
    const keySize = this.#keySize
    let bits = 0
    let at = start
    while (at + 2 <= end && bytes[at] === first) {
      const second = bytes[at + 1] as number
      const payload = at + ((second & 0x7f) === 126 ? 4 : 2) + keySize
      if ((second & MASK) !== this.#maskBit || payload > end) break
      const length = lengthAt(bytes, at)
      if (length < 0 || payload + length > end || length > this.#max) break
      at = payload + length
      bits |=
        keySize === 0
          ? bitsOf(view, payload, at)
          : mask(view, payload, at, view.getInt32(payload - KEY, true))
    }
    if (at === start) return false
    this.#at = 0
    this.#end = at - start
    this.#isText = first === TEXT_MESSAGE
    if (this.#isText && bits < 0x80) {
      this.#base = sizeOfHeader(bytes[start + 1] as number)
      this.#text = bytes.toString('latin1', start + this.#base, at)
    }
    return true
  }

  /** The next message of the window. */
  #deliver(buffer: RecvBuffer): Incoming {
    const { bytes, start: origin } = buffer
    const at = origin + this.#at
    const short = (bytes[at + 1] as number) & 0x7f
    const start = this.#at + (short === 126 ? 4 : 2) + this.#keySize
    const end = start + lengthAt(bytes, at)
    this.#at = end
    if (!this.#isText) return buffer.slice(start, end)
    if (this.#text !== '') return this.#text.slice(start - this.#base, end - this.#base)
    if (start === end) return ''
    return isUtf8(bytes.subarray(origin + start, origin + end))
      ? bytes.toString('utf8', origin + start, origin + end)
      : this.#noText(buffer)
  }

  /** Leaves the window. What was not delivered is masked again, as it came. */
  giveBack(buffer: RecvBuffer): void {
    if (this.#end === 0) return
    const delivered = this.#at
    if (this.#at < this.#end && this.#keySize > 0) this.#maskAgain(buffer)
    this.#at = this.#end = 0
    this.#text = ''
    buffer.skip(delivered)
  }

  #maskAgain({ bytes, start: origin }: RecvBuffer): void {
    const view = viewOf(bytes)
    for (let at = origin + this.#at; at < origin + this.#end;) {
      const start = at + sizeOfHeader(bytes[at + 1] as number)
      const length = lengthAt(bytes, at)
      mask(view, start, start + length, view.getInt32(start - KEY, true))
      at = start + length
    }
  }

  // ---- everything else: control frames, fragments, frames in pieces -----------------------------

  /** The next frame. Its header is checked as soon as it can be. */
  #begin(buffer: RecvBuffer): Step {
    const { bytes, start, end } = buffer
    if (end - start < 2) return NEED_MORE
    const first = bytes[start] as number
    const second = bytes[start + 1] as number
    const fault = this.#faultOf(first, second)
    if (fault !== '') return this.#fail(buffer, 1002, fault)
    const header = sizeOfHeader(second)
    if (end - start < header) return NEED_MORE
    const length = readLength(bytes, start)
    if (length === -1)
      return this.#fail(buffer, 1002, 'a length must be written in its shortest form')
    const key = this.#keySize === 0 ? 0 : bytes.readInt32LE(start + header - KEY)
    if ((first & 0x0f) >= CLOSE) return this.#control(buffer, first & 0x0f, header, length, key)
    return this.#data(buffer, first, header, length, key)
  }

  /** What is wrong with a header that begins so; '' if nothing is. */
  #faultOf(first: number, second: number): string {
    const opcode = first & 0x0f
    if ((opcode > BINARY && opcode < CLOSE) || opcode > PONG) return `opcode ${opcode} is unknown`
    const isCompressed = (first & RSV1) !== 0
    const mayCompress = this.#isDeflated && opcode !== CONTINUATION && opcode < CLOSE
    if ((first & 0x30) !== 0 || (isCompressed && !mayCompress)) return 'a reserved bit is set'
    if ((second & MASK) !== this.#maskBit)
      return this.#maskBit === 0 ? 'a server must not mask' : 'a client must mask'
    if (opcode >= CLOSE) {
      if ((first & FIN) === 0) return 'a control frame must not be fragmented'
      if ((second & 0x7f) > CONTROL_MAX) return 'a control frame has at most 125 bytes'
    } else if ((opcode === CONTINUATION) !== (this.#assembly !== undefined))
      return opcode === CONTINUATION
        ? 'there is no message to be continued'
        : 'the message before must be continued first'
    return ''
  }

  #control(buffer: RecvBuffer, opcode: number, header: Bytes, length: Bytes, key: number): Step {
    const { bytes, start, end } = buffer
    if (end - start < header + length) return NEED_MORE
    const payload = unmasked(bytes, start + header, length, key)
    buffer.skip(header + length)
    return new Control(opcode, payload, opcode === PING && this.#pings.wasTold() ? 'after' : 'now')
  }

  urgent(buffer: RecvBuffer, received: Bytes): Control[] {
    return this.#pings.find(buffer, this.#at, received, this.#maskBit !== 0)
  }

  #data(buffer: RecvBuffer, first: number, header: Bytes, length: Bytes, key: number): Step {
    if (this.#assembly !== undefined) this.#overhead += header
    const size = (this.#assembly?.size ?? 0) + this.#overhead + length
    if (size > this.#max)
      return this.#fail(buffer, 1009, `a message has at most ${this.#max} bytes`)
    this.#assembly ??= new Assembly((first & 0x0f) === TEXT, (first & RSV1) !== 0)
    this.#isLast = (first & FIN) !== 0
    this.#left = length
    this.#key = key
    buffer.skip(header)
    return length === 0 ? this.#ended(buffer) : AGAIN
  }

  /** Takes what is there of the payload. */
  #take(buffer: RecvBuffer): Step {
    const { bytes, start, end } = buffer
    const size = Math.min(this.#left, end - start)
    if (size === 0) return NEED_MORE
    const assembly = this.#assembly as Assembly
    const expected = this.#isLast ? this.#left : Infinity
    const isText = assembly.add(viewOf(bytes), start, size, this.#key, expected)
    buffer.skip(size)
    if (!isText) return this.#noText(buffer)
    this.#key = turnKey(this.#key, size)
    this.#left -= size
    return this.#left > 0 ? AGAIN : this.#ended(buffer)
  }

  /** A frame has ended. */
  #ended(buffer: RecvBuffer): Step {
    if (!this.#isLast) return AGAIN
    const { isText, isDeflated, payload, text } = this.#assembly as Assembly
    this.#assembly = undefined
    this.#overhead = 0
    if (isDeflated) return new Deflated(isText, payload)
    return isText ? (text ?? this.#noText(buffer)) : payload
  }

  // ---- what is wrong ----------------------------------------------------------------------------

  #noText(buffer: RecvBuffer): Fault {
    return this.#fail(buffer, 1007, 'a text message must be UTF-8')
  }

  #fail(buffer: RecvBuffer, code: Fault['code'], reason: string): Fault {
    this.giveBack(buffer)
    this.#assembly = undefined
    this.#isBroken = true
    return new Fault(code, reason)
  }

  /** Nothing that follows a fault means anything. */
  #drop(buffer: RecvBuffer): typeof NEED_MORE {
    buffer.skip(buffer.end - buffer.start)
    return NEED_MORE
  }

  /** The connection is over. */
  forget(): void {
    this.#assembly = undefined
    this.#left = 0
    this.#overhead = 0
    this.#isBroken = false
    this.#pings.forget()
  }
}

/** The length of a message that tells it in at most two more bytes; -1 if not, or if invalid. */
function lengthAt(bytes: Buffer, at: Bytes): Bytes {
  const short = (bytes[at + 1] as number) & 0x7f
  if (short < 126) return short
  if (short > 126) return -1
  const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
  return length < 126 ? -1 : length
}
