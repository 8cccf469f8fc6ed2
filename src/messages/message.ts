/**
 * Layer 8. Message: what channels send and receive, and how they report their own changes.
 */

import { Buffer } from 'node:buffer'
import { isRecord } from '../core/checks.ts'
import { checkOptions } from '../core/options.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { Data, Milliseconds, SocketAddress, StateSignal } from '../types.ts'

/**
 * - 'data': what a program sends and receives
 * - 'control': a report of the channel about its work, or a request to it; `msgid` is one of
 *   `Control`
 * - 'state': the channel has changed its state; `msgid` is the index of the new one in `STATES`
 * - 'channel': the channel's `dcaps` or children have changed; `msgid` is one of `ChannelEvent`
 */
export type MessageType = 'data' | 'control' | 'state' | 'channel'

/** Every state. The index of a state is the `msgid` of its state message. */
export const STATES: readonly StateSignal[] = [
  'closed',
  'opening',
  'active',
  'closing',
  'error',
  'destroy',
]

/** The `msgid` of control messages. */
// Source: TLL; its numbers, with two differences.
export const Control = {
  /** From a server: a peer has connected. `addr` is its number, `data` its address as text. */
  Connect: 10,
  /**
   * From a server: a peer has disconnected. `data` is the error as text; it is empty if there was
   * none. Post it with an `addr` to disconnect that peer.
   */
  Disconnect: 20,
  /** The queue is full: `post` returns false until WriteReady. */
  WriteFull: 30,
  /** The queue has room again. */
  WriteReady: 40,
  /** Post it to send what is queued at once, not at the end of the turn. */
  WriteFlush: 50,
  /** From a file: everything in it has been read. */
  // Differs: 20 in TLL, which is Disconnect in other channels.
  EndOfData: 60,
  /**
   * Post it to a file that is read: reading goes on with the first message whose `seq` is at least
   * that of the posted one.
   */
  // Differs: 10 in TLL, which is Connect in other channels.
  Seek: 70,
  /**
   * From `stream+`: history is complete, and messages come as they are posted. `seq` is that of the
   * last message before.
   */
  // Differs: 10 in TLL, which is Connect in other channels.
  Online: 80,
  /** From `direct://;notify-state=yes`: the other side's new state; `data` is its name. */
  DirectStateUpdate: 0x7f000001,
} as const

/** The `msgid` of channel messages. */
export const ChannelEvent = {
  /** The `dcaps` have changed. `value` is the set before the change. */
  Update: 0,
  /** A child was added. `value` is the child. */
  Add: 1,
  /** A child was destroyed. `value` is the child. */
  Delete: 2,
} as const

/**
 * The sender or the recipient of a message: a number for a peer of a server, an address for a
 * channel without connections.
 */
export type Addr = number | SocketAddress

/** The fields of a message. A field that is left out has its default, see `Message`. */
export type MessageFields = { readonly data?: Data | undefined } & {
  readonly [Name in Exclude<keyof Message, 'data'>]?: Message[Name]
}

/** Every type. */
export const TYPES: readonly MessageType[] = ['data', 'control', 'state', 'channel']

const EMPTY = Buffer.alloc(0)

/**
 * One message. It does not change once it is made. Neither the sender nor the receiver may change
 * its bytes.
 */
export class Message {
  // Declared only: a field that the class defines would be set twice, in every message.

  /**
   * What the message is: data, or one about a channel; see `TYPES`.
   * @default 'data'
   */
  declare readonly type: MessageType
  /**
   * The kind of message: an integer of 32 bits. The two sides agree on what each number means.
   * @default 0
   */
  declare readonly msgid: number
  /**
   * The number of the message in its sequence: 64 bits.
   * @default 0n
   */
  declare readonly seq: bigint
  /**
   * The content. Text is converted to UTF-8.
   * @default an empty Buffer
   */
  declare readonly data: Buffer
  /**
   * The sender, or the recipient.
   * @default undefined
   */
  declare readonly addr: Addr | undefined
  /**
   * When the message was made, in ms since 1970. 0 means unknown.
   * @default 0
   */
  declare readonly time: Milliseconds
  /**
   * The subject of a message of type 'channel', see `ChannelEvent`. Of Connect from `ws://`: the
   * `UpgradeRequest`. Of data from a `ws://` of texts: `'binary'` if it came as bytes.
   */
  declare readonly value: unknown

  /**
   * Throws InvalidArgumentError for an invalid field: here the error can name the field, later,
   * when the message is packed, it could not. A field that does not exist is refused if there is no
   * `data`; to look for one in every message would take a third more time.
   */
  constructor(fields: MessageFields = {}) {
    if (fields === null) checkFields(fields)
    const { type = 'data', msgid = 0, seq = 0n, data, addr, time = 0, value } = fields
    if (type !== 'data' || typeof msgid !== 'number' || (msgid | 0) !== msgid || seq !== 0n)
      check(type, msgid, seq)
    this.type = type
    this.msgid = msgid
    this.seq = seq
    if (data === undefined) checkFields(fields)
    this.data = data === undefined ? EMPTY : bytesOf(data)
    this.addr = addr
    this.time = time
    this.value = value
  }
}

const FIELDS: ReadonlySet<string> = new Set<keyof MessageFields>([
  'type',
  'msgid',
  'seq',
  'data',
  'addr',
  'time',
  'value',
])

/**
 * Makes a message of what `post` takes and is none yet; text or bytes become a message of type
 * 'data'. Throws InvalidArgumentError for anything else. (`post` and `emit` ask themselves whether
 * it is a message: then V8 knows of each what it gets, and inlines only that.)
 */
export function toMessage(given: MessageFields | Data): Message {
  if (typeof given === 'string' || given instanceof Uint8Array) return new Message({ data: given })
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('post: message', 'a message, text or bytes', given)
  return new Message(given)
}

/**
 * Throws InvalidArgumentError unless these are fields of a message, and no others. The loop only
 * finds out fast that nothing is wrong.
 */
export function checkFields(given: unknown): void {
  let isEmpty = true
  for (const key in given as object) {
    isEmpty = false
    if (!FIELDS.has(key)) return refuseFields(given)
  }
  if (isEmpty) refuseFields(given)
}

function refuseFields(given: unknown): void {
  const names = [...FIELDS]
  if (!isRecord(given))
    throw new InvalidArgumentError('message', `an object, { ${names.join(', ')} }`, given)
  checkOptions('message', given, names)
}

/** Throws InvalidArgumentError unless these are what `do_post_all` takes. */
export function checkPosts(messages: readonly Message[], addrs: Iterable<Addr>): void {
  if (!Array.isArray(messages) || !messages.every(each => each instanceof Message))
    throw new InvalidArgumentError('do_post_all: messages', 'an array of messages', messages)
  if (typeof (addrs as Iterable<Addr> | undefined)?.[Symbol.iterator] !== 'function')
    throw new InvalidArgumentError('do_post_all: addrs', 'an array or a set', addrs)
}

/** A function of its own, so that the constructor is short: V8 inlines only what is. */
function check(type: MessageType, msgid: number, seq: bigint): void {
  // (Most are data: the array need not be searched.)
  if (type !== 'data' && !TYPES.includes(type))
    throw new InvalidArgumentError('message: type', `one of ${TYPES.join(', ')}`, type)
  if (typeof msgid !== 'number' || (msgid | 0) !== msgid)
    throw new InvalidArgumentError('message: msgid', 'an integer of 32 bits', msgid)
  if (typeof seq !== 'bigint' || (seq !== 0n && BigInt.asIntN(64, seq) !== seq))
    throw new InvalidArgumentError('message: seq', 'a bigint of 64 bits, as 5n', seq)
}

function bytesOf(data: Data): Buffer {
  if (Buffer.isBuffer(data)) return data
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  throw new InvalidArgumentError('message: data', 'a string or a Uint8Array', data)
}
