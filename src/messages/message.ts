/**
 * Layer 8. A message: what channels send, receive, and say of themselves.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError } from '../errors.ts'
import type { Data, Milliseconds, SocketAddress, StateSignal } from '../types.ts'

/**
 * - 'data': what a program sends and receives
 * - 'control': what a channel says of its work (`Control`), or is told
 * - 'state': its state has changed; `msgid` is the place of the new one in `STATES`
 * - 'channel': its `dcaps` or its children have changed (`ChannelEvent`)
 */
export type MessageType = 'data' | 'control' | 'state' | 'channel'

/** Every state, in the order of the `msgid` of state messages. */
export const STATES: readonly StateSignal[] = [
  'closed',
  'opening',
  'active',
  'closing',
  'error',
  'destroy',
]

/** The `msgid` of control messages. */
export const Control = {
  /** A server: a peer has come. `addr` is who, `data` its address as text. */
  Connect: 10,
  /**
   * A server: a peer has gone; `data` is what was wrong, as text, if anything was. Posted with an
   * `addr`: closes that peer.
   */
  Disconnect: 20,
  /** So much is queued that `post` returns false until WriteReady. */
  WriteFull: 30,
  WriteReady: 40,
  /** Posted: sends what is queued now instead of at the end of the turn. */
  WriteFlush: 50,
  /**
   * A file: everything there is has been read. `Differs:` 20 in the original, which is Disconnect
   * elsewhere.
   */
  EndOfData: 60,
  /**
   * Posted to a file that is read: goes on with the first message whose `seq` is not below this
   * one's. `Differs:` 10 in the original.
   */
  Seek: 70,
  /** direct://;notify-state=yes: the state of the other side, its name as `data`. */
  DirectStateUpdate: 0x7f000001,
} as const

/** The `msgid` of channel messages. */
export const ChannelEvent = {
  /** `dcaps` have changed; `value` is the set of before. */
  Update: 0,
  /** `value` is the child that was added, or has left. */
  Add: 1,
  Delete: 2,
} as const

/**
 * Who sent a message, or who is to get it: a number for the peer of a server, an address where
 * there are no connections.
 */
export type Addr = number | SocketAddress

/** The fields of a message; those left out have the defaults that `Message` says. */
export type MessageFields = { readonly data?: Data } & {
  readonly [Name in Exclude<keyof Message, 'data'>]?: Message[Name]
}

/** Every type there is. */
export const TYPES: readonly MessageType[] = ['data', 'control', 'state', 'channel']

const EMPTY = Buffer.alloc(0)

/**
 * One message. Nothing in it changes once it is made; bytes must not be changed by who posted or
 * received them.
 */
export class Message {
  /** Default 'data'. */
  readonly type: MessageType
  /**
   * What kind of message; what numbers mean is a matter of who speaks. An integer of 32 bits.
   * Default 0.
   */
  readonly msgid: number
  /** Its number in a sequence, 64 bits. Default 0n. */
  readonly seq: bigint
  /** What it carries. Text is given as UTF-8. Default: nothing. */
  readonly data: Buffer
  /** Default: undefined. */
  readonly addr: Addr | undefined
  /** When it was made, in ms since 1970; 0: nobody has said. Default 0. */
  readonly time: Milliseconds
  /** What messages of type 'channel' are about. */
  readonly value: unknown

  /**
   * Throws InvalidArgumentError for a field that cannot be: better here, with its name, than
   * wherever it would be packed.
   */
  constructor({
    type = 'data',
    msgid = 0,
    seq = 0n,
    data,
    addr,
    time = 0,
    value,
  }: MessageFields = {}) {
    if (!TYPES.includes(type))
      throw new InvalidArgumentError('message: type', `one of ${TYPES.join(', ')}`, type)
    if ((msgid | 0) !== msgid)
      throw new InvalidArgumentError('message: msgid', 'an integer of 32 bits', msgid)
    if (typeof seq !== 'bigint')
      throw new InvalidArgumentError('message: seq', 'a bigint, as 5n', seq)
    this.type = type
    this.msgid = msgid
    this.seq = seq
    this.data = data === undefined ? EMPTY : bytesOf(data)
    this.addr = addr
    this.time = time
    this.value = value
  }
}

/**
 * What `post` takes, as a message: data alone is a message of type 'data'. Throws
 * InvalidArgumentError.
 */
export function toMessage(given: MessageFields | Data): Message {
  if (given instanceof Message) return given
  if (typeof given === 'string' || given instanceof Uint8Array) return new Message({ data: given })
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('post: message', 'a message, text or bytes', given)
  return new Message(given)
}

function bytesOf(data: Data): Buffer {
  if (Buffer.isBuffer(data)) return data
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  throw new InvalidArgumentError('message: data', 'a string or a Uint8Array', data)
}
