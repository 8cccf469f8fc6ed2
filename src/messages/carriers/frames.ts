/**
 * Layer 8. Frames: how messages are written in a stream of bytes, a packet or a file. All frames
 * are in one table, at the end of the file.
 *
 * A binary frame is little endian: the size of the data, then msgid and seq if the frame has them,
 * then the data.
 */
// Source: TLL `tcp`, its frames.

import { Buffer } from 'node:buffer'
import type { Delimiter, ReadDelimiter } from '../../core/delimiters.ts'
import { InvalidArgumentError, ReadError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Carries } from '../caps.ts'
import { type Addr, Message } from '../message.ts'

const NOTHING = Buffer.alloc(0)

/** One kind of frame. */
export interface Frame {
  readonly name: string
  /** Cuts a stream into the reads that `unpack` takes. */
  readonly delimiter: ReadDelimiter
  /** The size of a frame without its data. */
  readonly overhead: Bytes
  /** In a stream. In a packet of its own, where the data ends is always kept. */
  readonly carries: Carries
  /** Makes a message of one read. */
  unpack(read: unknown[], addr?: Addr): Message
  /** The bytes before the data. Throws InvalidArgumentError if the message does not fit. */
  head(message: Message): Uint8Array | undefined
  /** The text after the data. */
  readonly tail: string
  /**
   * Makes a message of a whole packet; the size in the frame is ignored. Returns undefined if the
   * packet is too short.
   */
  unpackPacket(packet: Buffer, addr?: Addr): Message | undefined
}

/** Size, msgid and seq, then the data. A field with a width of 0 bytes is left out. */
class BinaryFrame implements Frame {
  readonly name: string
  readonly tail = ''
  readonly overhead: Bytes
  readonly carries: Carries
  readonly delimiter: Delimiter<[msgid: number, seq: bigint, data: Buffer]>
  readonly #size: 2 | 4
  readonly #msgid: 0 | 2 | 4
  readonly #seq: 0 | 4 | 8

  constructor(name: string, size: 2 | 4, msgid: 0 | 2 | 4, seq: 0 | 4 | 8) {
    this.name = name
    this.#size = size
    this.#msgid = msgid
    this.#seq = seq
    this.carries = { data: 'any', msgid: msgid > 0, seq: seq > 0 }
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
    check('length of data', data.length, 2 ** (8 * this.#size), 0, this.name)
    const head = Buffer.allocUnsafe(this.overhead)
    head.writeUIntLE(data.length, 0, this.#size)
    if (this.#msgid > 0) {
      const half = 2 ** (8 * this.#msgid - 1)
      check('msgid', msgid, half, -half, this.name)
      head.writeIntLE(msgid, this.#size, this.#msgid)
    }
    if (this.#seq === 8) head.writeBigInt64LE(seq, this.#size + this.#msgid)
    else if (this.#seq === 4) {
      check('seq', Number(seq), 2 ** 31, -(2 ** 31), this.name)
      head.writeInt32LE(Number(seq), this.#size + this.#msgid)
    }
    return head
  }

  unpackPacket(packet: Buffer, addr?: Addr): Message | undefined {
    return packet.length < this.overhead
      ? undefined
      : this.unpack(this.#parse(packet, 0, packet.length), addr)
  }
}

function check(what: string, value: number, below: number, least: number, name: string): void {
  if (Number.isInteger(value) && value >= least && value < below) return
  throw new InvalidArgumentError(
    `post: ${what} with frame=${name}`,
    `from ${least} to ${below - 1}`,
    value,
  )
}

/** The data, without msgid and seq. */
class PlainFrame implements Frame {
  readonly name: string
  readonly delimiter: ReadDelimiter
  readonly overhead: Bytes = 0
  readonly tail: string
  readonly carries: Carries
  readonly #fault: (data: Buffer) => string

  /** `fault` returns what the data must be, or '' if it is valid. */
  constructor(
    name: string,
    delimiter: ReadDelimiter,
    tail: string,
    data: Carries['data'],
    fault: (data: Buffer) => string,
  ) {
    this.name = name
    this.delimiter = delimiter
    this.tail = tail
    this.carries = { data, msgid: false, seq: false }
    this.#fault = fault
  }

  unpack([read]: unknown[], addr?: Addr): Message {
    const data = read as Buffer
    // A line may end with \r\n. The delimiter has cut off the \n.
    const isCut = this.tail === '\n' && data.at(-1) === 13
    return new Message({ data: isCut ? data.subarray(0, -1) : data, addr })
  }

  head({ data }: Message): undefined {
    const fault = this.#fault(data)
    if (fault !== '')
      throw new InvalidArgumentError(`post: data with frame=${this.name}`, fault, data)
  }

  unpackPacket(packet: Buffer, addr?: Addr): Message {
    return new Message({ data: packet, addr })
  }
}

/**
 * Cuts BSON documents. The first four bytes of a document are its whole size, these four included;
 * they belong to the data.
 */
const BSON: Delimiter<[Buffer]> = {
  cut(bytes, start, end) {
    if (end - start < 4) return 4
    const size = bytes.readUInt32LE(start)
    if (size < 4) throw new ReadError('ERR_FRAME', `a BSON document of ${size} bytes is invalid`)
    return end - start < size ? size : { size, data: [bytes.subarray(start, start + size)] }
  },
}

/** The names of each frame, and the frame. */
const TABLE: readonly [names: readonly string[], frame: Frame][] = [
  [['std', 'l4m4s8'], new BinaryFrame('std', 4, 4, 8)],
  [['short', 'l2m2s8'], new BinaryFrame('short', 2, 2, 8)],
  [['tiny', 'l2m2s4'], new BinaryFrame('tiny', 2, 2, 4)],
  [['size32', 'l4'], new BinaryFrame('size32', 4, 0, 0)],
  [
    ['bson'],
    new PlainFrame('bson', BSON, '', 'document', data =>
      data.length >= 4 && data.readUInt32LE() === data.length
        ? ''
        : 'a BSON document, which begins with its size',
    ),
  ],
  [
    ['line'],
    new PlainFrame('line', '\n', '\n', 'line', data =>
      // A reader takes a \r at the end for a part of the line end.
      data.includes(10) || data.at(-1) === 13 ? 'one line, without a line end (\\n or \\r\\n)' : '',
    ),
  ],
  [
    ['none'],
    new PlainFrame('none', null, '', 'stream', data =>
      data.length === 0 ? 'at least one byte' : '',
    ),
  ],
]

/** All frames by name. */
export const FRAMES: ReadonlyMap<string, Frame> = new Map(
  TABLE.flatMap(([names, frame]) => names.map(name => [name, frame] as const)),
)

/** Packs messages as they stand in a stream. Throws InvalidArgumentError if one does not fit. */
export function packFrames(frame: Frame, messages: readonly Message[]): Buffer {
  const tail = Buffer.from(frame.tail)
  return Buffer.concat(
    messages.flatMap(message => [frame.head(message) ?? NOTHING, message.data, tail]),
  )
}

/** The lower 32 bits of seq, then the data. Of packets only. */
class Seq32Frame implements Frame {
  readonly name = 'seq32'
  readonly delimiter = null
  readonly overhead: Bytes = 4
  readonly carries: Carries = { data: 'any', msgid: false, seq: true }
  readonly tail = ''

  unpack([packet]: unknown[], addr?: Addr): Message {
    const whole = packet as Buffer
    return new Message({ seq: BigInt(whole.readUInt32LE()), data: whole.subarray(4), addr })
  }

  head({ seq }: Message): Uint8Array {
    const head = Buffer.allocUnsafe(4)
    head.writeUInt32LE(Number(BigInt.asUintN(32, seq)))
    return head
  }

  unpackPacket(packet: Buffer, addr?: Addr): Message | undefined {
    return packet.length < 4 ? undefined : this.unpack([packet], addr)
  }
}

const SEQ32 = new Seq32Frame()

/**
 * The frames for packets, by name. A packet has its own size, so it needs no delimiter, and may be
 * empty.
 */
export const PACKET_FRAMES: ReadonlyMap<string, Frame> = new Map<string, Frame>([
  ...[...FRAMES].filter(([, frame]) => frame instanceof BinaryFrame),
  ['seq32', SEQ32],
  ['s4', SEQ32],
  ['none', new PlainFrame('none', null, '', 'any', () => '')],
])
