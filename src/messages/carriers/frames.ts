/**
 * Layer 8. Frames: how a message stands in a stream of bytes, in a packet, in a file. One table.
 *
 * The binary ones are little endian: the size of the data, then msgid, then seq, as far as they
 * have them, then the data.
 */

import { Buffer } from 'node:buffer'
import type { Delimiter, ReadDelimiter } from '../../core/delimiters.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import { type Addr, Message } from '../message.ts'

export interface Frame {
  readonly name: string
  /** Cuts a stream into what `unpack` takes. */
  readonly delimiter: ReadDelimiter
  /** Bytes besides the data. */
  readonly overhead: Bytes
  unpack(read: unknown[], addr?: Addr): Message
  /**
   * What stands before the data, and behind it. Throws InvalidArgumentError for a message that does
   * not fit.
   */
  head(message: Message): Uint8Array | undefined
  readonly tail: string
  /** A whole packet as a message, whatever size it says; undefined for one that is too short. */
  unpack_packet(packet: Buffer, addr?: Addr): Message | undefined
}

/** Size, msgid and seq, in so many bytes each; 0: not there. */
class BinaryFrame implements Frame {
  readonly name: string
  readonly tail = ''
  readonly overhead: Bytes
  readonly delimiter: Delimiter<[msgid: number, seq: bigint, data: Buffer]>
  readonly #size: 2 | 4
  readonly #msgid: 0 | 2 | 4
  readonly #seq: 0 | 4 | 8

  constructor(name: string, size: 2 | 4, msgid: 0 | 2 | 4, seq: 0 | 4 | 8) {
    this.name = name
    this.#size = size
    this.#msgid = msgid
    this.#seq = seq
    const overhead = (this.overhead = size + msgid + seq)
    this.delimiter = {
      cut: (bytes, start, end) => {
        if (end - start < overhead) return overhead
        const whole = overhead + bytes.readUIntLE(start, size)
        return end - start < whole
          ? whole
          : { size: whole, data: this.#parse(bytes, start, start + whole) }
      },
    }
  }

  #parse(bytes: Buffer, start: Bytes, end: Bytes): [number, bigint, Buffer] {
    const at = start + this.#size
    const msgid = this.#msgid === 0 ? 0 : bytes.readIntLE(at, this.#msgid)
    const seq =
      this.#seq === 8
        ? bytes.readBigInt64LE(at + this.#msgid)
        : this.#seq === 4
          ? BigInt(bytes.readInt32LE(at + this.#msgid))
          : 0n
    return [msgid, seq, bytes.subarray(start + this.overhead, end)]
  }

  unpack([msgid, seq, data]: unknown[], addr?: Addr): Message {
    return new Message({ msgid: msgid as number, seq: seq as bigint, data: data as Buffer, addr })
  }

  head({ msgid, seq, data }: Message): Uint8Array {
    check('data', data.length, 2 ** (8 * this.#size), 0, this.name)
    const head = Buffer.allocUnsafe(this.overhead)
    head.writeUIntLE(data.length, 0, this.#size)
    if (this.#msgid > 0) {
      const half = 2 ** (8 * this.#msgid - 1)
      check('msgid', msgid, half, -half, this.name)
      head.writeIntLE(msgid, this.#size, this.#msgid)
    }
    if (this.#seq === 8) head.writeBigInt64LE(BigInt.asIntN(64, seq), this.#size + this.#msgid)
    else if (this.#seq === 4)
      head.writeInt32LE(Number(BigInt.asIntN(32, seq)), this.#size + this.#msgid)
    return head
  }

  unpack_packet(packet: Buffer, addr?: Addr): Message | undefined {
    return packet.length < this.overhead
      ? undefined
      : this.unpack(this.#parse(packet, 0, packet.length), addr)
  }
}

function check(what: string, value: number, below: number, least: number, name: string): void {
  if (Number.isInteger(value) && value >= least && value < below) return
  throw new InvalidArgumentError(
    `post: ${what === 'data' ? 'length of data' : what}`,
    `from ${least} to ${below - 1} with frame=${name}`,
    value,
  )
}

/** Data alone. */
class PlainFrame implements Frame {
  readonly name: string
  readonly delimiter: ReadDelimiter
  readonly overhead: Bytes = 0
  readonly tail: string
  readonly #fault: (data: Buffer) => string

  /** `fault` says what data must be that is not; '' when nothing is wrong. */
  constructor(
    name: string,
    delimiter: ReadDelimiter,
    tail: string,
    fault: (data: Buffer) => string,
  ) {
    this.name = name
    this.delimiter = delimiter
    this.tail = tail
    this.#fault = fault
  }

  unpack([read]: unknown[], addr?: Addr): Message {
    const data = read as Buffer
    // A line that ends with \r\n: the delimiter has cut off the \n.
    const isCut = this.tail === '\n' && data.at(-1) === 13
    return new Message({ data: isCut ? data.subarray(0, -1) : data, addr })
  }

  head({ data }: Message): undefined {
    const fault = this.#fault(data)
    if (fault !== '')
      throw new InvalidArgumentError('post: data', `${fault} with frame=${this.name}`, data)
  }

  unpack_packet(packet: Buffer, addr?: Addr): Message {
    return new Message({ data: packet, addr })
  }
}

/**
 * A BSON document: its first four bytes are the size of the whole, themselves included, and are
 * handed over with it.
 */
const BSON: Delimiter<[Buffer]> = {
  cut(bytes, start, end) {
    if (end - start < 4) return 4
    const size = Math.max(4, bytes.readUInt32LE(start))
    return end - start < size ? size : { size, data: [bytes.subarray(start, start + size)] }
  },
}

const TABLE: readonly [names: readonly string[], frame: Frame][] = [
  [['std', 'l4m4s8'], new BinaryFrame('std', 4, 4, 8)],
  [['short', 'l2m2s8'], new BinaryFrame('short', 2, 2, 8)],
  [['tiny', 'l2m2s4'], new BinaryFrame('tiny', 2, 2, 4)],
  [['size32', 'l4'], new BinaryFrame('size32', 4, 0, 0)],
  [
    ['bson'],
    new PlainFrame('bson', BSON, '', data =>
      data.length >= 4 && data.readUInt32LE() === data.length
        ? ''
        : 'a document that begins with its size',
    ),
  ],
  [
    ['line'],
    new PlainFrame('line', '\n', '\n', data =>
      data.includes(10) ? 'without a line end in it' : '',
    ),
  ],
  [
    ['none'],
    new PlainFrame('none', null, '', data => (data.length === 0 ? 'at least one byte' : '')),
  ],
]

export const FRAMES: ReadonlyMap<string, Frame> = new Map(
  TABLE.flatMap(([names, frame]) => names.map(name => [name, frame] as const)),
)

/** Those that make sense of a packet, which has its size already. */
export const PACKET_FRAMES: readonly string[] = [
  'std',
  'l4m4s8',
  'short',
  'l2m2s8',
  'tiny',
  'l2m2s4',
  'size32',
  'l4',
  'none',
]
