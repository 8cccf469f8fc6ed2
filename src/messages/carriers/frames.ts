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
import type { IntoPacker } from '../../core/writing/write-run.ts'
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
  /** Writes a whole message into what is sent. Without one a message is written in parts. */
  readonly packer: IntoPacker | undefined
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

/** The two halves of a seq. The methods of Buffer for a bigint take several times as long. */
const HALVES = new DataView(new ArrayBuffer(8))

/** Size, msgid and seq, then the data. A field with a width of 0 bytes is left out. */
class BinaryFrame implements Frame, IntoPacker {
  readonly name: string
  readonly tail = ''
  readonly overhead: Bytes
  readonly carries: Carries
  readonly packer = this
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
        const whole = overhead + (size === 4 ? read32(bytes, start) >>> 0 : read16(bytes, start))
        return end - start < whole
          ? whole
          : { size: whole, data: this.#parse(bytes, start, start + whole) }
      },
    }
  }

  #parse(bytes: Buffer, start: Bytes, end: Bytes): [number, bigint, Buffer] {
    const at = start + this.#size
    // A number of 16 bits has a sign, too.
    const msgid =
      this.#msgid === 4
        ? read32(bytes, at)
        : this.#msgid === 2
          ? (read16(bytes, at) << 16) >> 16
          : 0
    return [
      msgid,
      this.#parseSeq(bytes, at + this.#msgid),
      bytes.subarray(start + this.overhead, end),
    ]
  }

  #parseSeq(bytes: Buffer, at: Bytes): bigint {
    if (this.#seq === 0) return 0n
    const lower = read32(bytes, at)
    HALVES.setInt32(0, lower, true)
    HALVES.setInt32(4, this.#seq === 8 ? read32(bytes, at + 4) : lower >> 31, true)
    return HALVES.getBigInt64(0, true)
  }

  unpack([msgid, seq, data]: unknown[], addr?: Addr): Message {
    return new Message({ msgid: msgid as number, seq: seq as bigint, data: data as Buffer, addr })
  }

  head(message: Message): Uint8Array {
    this.#check(message)
    const head = Buffer.allocUnsafe(this.overhead)
    this.#writeHead(head, 0, message)
    return head
  }

  pack(message: Message): Buffer {
    return Buffer.concat([this.head(message), message.data])
  }

  pack_into(target: Buffer, at: Bytes, message: Message): Bytes {
    this.#check(message)
    const { data } = message
    const size = this.overhead + data.length
    if (at + size > target.length) return size
    this.#writeHead(target, at, message)
    target.set(data, at + this.overhead)
    return size
  }

  #check({ msgid, seq, data }: Message): void {
    check('length of data', data.length, this.#size === 4 ? 0x1_0000_0000 : 0x1_0000, 0, this.name)
    // A msgid is a number of 32 bits, whatever the frame has.
    if (this.#msgid === 2) check('msgid', msgid, 0x8000, -0x8000, this.name)
    if (this.#seq === 4) check('seq', Number(seq), 0x8000_0000, -0x8000_0000, this.name)
  }

  #writeHead(target: Buffer, at: Bytes, { msgid, seq, data }: Message): void {
    const { length } = data
    if (this.#size === 4) write32(target, at, length)
    else write16(target, at, length)
    if (this.#msgid === 4) write32(target, at + this.#size, msgid)
    else if (this.#msgid === 2) write16(target, at + this.#size, msgid)
    if (this.#seq === 0) return
    const seqAt = at + this.#size + this.#msgid
    HALVES.setBigInt64(0, seq, true)
    write32(target, seqAt, HALVES.getInt32(0, true))
    if (this.#seq === 8) write32(target, seqAt + 4, HALVES.getInt32(4, true))
  }

  unpackPacket(packet: Buffer, addr?: Addr): Message | undefined {
    return packet.length < this.overhead
      ? undefined
      : this.unpack(this.#parse(packet, 0, packet.length), addr)
  }
}

// Byte by byte: methods of Buffer check what is known here, and take twice as long.

function read16(bytes: Buffer, at: Bytes): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
}

function read32(bytes: Buffer, at: Bytes): number {
  return read16(bytes, at) | (read16(bytes, at + 2) << 16)
}

function write16(target: Buffer, at: Bytes, value: number): void {
  target[at] = value
  target[at + 1] = value >>> 8
}

function write32(target: Buffer, at: Bytes, value: number): void {
  write16(target, at, value)
  write16(target, at + 2, value >>> 16)
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
  readonly packer = undefined
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
  readonly packer = undefined
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
