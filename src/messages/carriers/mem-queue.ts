/**
 * Layer 8. MemQueue: one direction of `mem://`. It holds the messages that are not read yet, up to
 * a limit in bytes.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import { type Dcap, NO_DCAPS } from '../caps.ts'
import { type Addr, Control, Message } from '../message.ts'
import type { MessageChannel } from '../message-channel.ts'

/** What a message counts besides its data: the size of a frame with size, msgid and seq. */
export const FRAME: Bytes = 16

const PENDING: readonly Dcap[] = ['pending']

/**
 * An array of up to this many places is used again: as many messages without data fill a queue of
 * 64 KiB. After this many taken messages a longer one is cut, if they are half of it.
 */
const MANY = 4096

/** The last message of a queue. The channel that reads it closes. */
export const END = new Message({ type: 'control', msgid: Control.Disconnect })

export class MemQueue {
  /** The channel that reads the queue. It is 'pending' while there are messages. */
  reader: MessageChannel | undefined
  readonly #limit: Bytes
  #isAbandoned = false
  /** Those from #taken to #end wait. An array that is pushed to and shifted would be slow. */
  #messages: (Message | undefined)[] = []
  #taken = 0
  #end = 0
  #bytes: Bytes = 0
  /** The channels that wait for room, and the `addr` of their WriteFull and WriteReady. */
  readonly #writers = new Map<MessageChannel, Addr | undefined>()

  constructor(limit: Bytes) {
    this.#limit = limit
  }

  get isEmpty(): boolean {
    return this.#taken === this.#end
  }

  /**
   * Adds a message of `writer` if there is room. The writer emits WriteFull with the message that
   * leaves no room for another, or that is refused. Then it is refused until it emits WriteReady.
   * Throws InvalidArgumentError if the message is larger than the queue.
   */
  post(message: Message, writer: MessageChannel, addr?: Addr): boolean {
    // Most leave room for another one.
    const after = this.#bytes + message.data.length + 2 * FRAME
    if (after > this.#limit || this.#isAbandoned || this.#writers.size > 0)
      return this.#postNear(message, writer, addr)
    this.push(message)
    return true
  }

  /** The same, near the limit, after it, or if nobody reads. */
  #postNear(message: Message, writer: MessageChannel, addr?: Addr): boolean {
    const size = message.data.length + FRAME
    if (size > this.#limit) {
      throw new InvalidArgumentError(
        'post: data',
        `at most ${this.#limit - FRAME} bytes long (size=${this.#limit}b)`,
        message.data.length,
      )
    }
    if (this.#isAbandoned) return true
    if (this.#writers.has(writer)) return false
    const hasRoom = this.#bytes + size <= this.#limit
    if (hasRoom) this.push(message)
    if (!hasRoom || this.#bytes + FRAME > this.#limit) {
      this.#writers.set(writer, addr)
      writer.emit({ type: 'control', msgid: Control.WriteFull, addr })
    }
    return hasRoom
  }

  /** Adds a message even if the queue is full. */
  push(message: Message): void {
    // Otherwise it is pending already.
    const wasEmpty = this.isEmpty
    this.#messages[this.#end++] = message
    this.#bytes += message.data.length + FRAME
    if (wasEmpty) this.reader?.update_dcaps(PENDING)
  }

  /** Takes the next message. Call `tellWriters` when it has been delivered. */
  shift(): Message | undefined {
    const message = this.#messages[this.#taken]
    if (message === undefined) return undefined
    this.#bytes -= message.data.length + FRAME
    this.#messages[this.#taken++] = undefined
    if (this.isEmpty || this.#taken >= MANY) this.#cut()
    return message
  }

  /** Frees the places of taken messages, if they are half of all. */
  #cut(): void {
    if (this.isEmpty) this.reader?.update_dcaps(NO_DCAPS, PENDING)
    if (this.#taken < this.#end / 2) return
    if (this.#end > MANY) this.#messages = this.#messages.slice(this.#taken, this.#end)
    this.#end -= this.#taken
    this.#taken = 0
  }

  /** If half of the queue is free, the writers that wait emit WriteReady. */
  tellWriters(): void {
    if (this.#writers.size > 0) this.#tellWriters()
  }

  #tellWriters(): void {
    if (this.#bytes > this.#limit / 2 && !this.#isAbandoned) return
    const writers = [...this.#writers]
    this.#writers.clear()
    for (const [writer, addr] of writers)
      writer.emit({ type: 'control', msgid: Control.WriteReady, addr })
  }

  /** Nobody will ever read it again: what is posted is dropped, and nobody waits for room. */
  abandon(): void {
    this.#isAbandoned = true
    this.tellWriters()
  }

  /** Forgets a channel that closes, as writer and as reader. */
  leave(channel: MessageChannel): void {
    this.#writers.delete(channel)
    if (this.reader === channel) this.reader = undefined
  }
}

/**
 * The message that arrives for a posted one: with every field, or only data with its msgid and seq.
 * Returns undefined if the message is not carried.
 */
export function carried(
  message: Message,
  carriesAll: boolean,
  addr: Addr | undefined,
): Message | undefined {
  // Most are what arrives, as they are. A message does not change.
  const { type, time, value } = message
  const isWhole = type === 'data' && message.addr === addr && time === 0 && value === undefined
  return isWhole ? message : copied(message, carriesAll, addr)
}

function copied(
  { type, msgid, seq, data, time }: Message,
  carriesAll: boolean,
  addr: Addr | undefined,
): Message | undefined {
  if (carriesAll) return new Message({ type, msgid, seq, data, time, addr })
  return type === 'data' ? new Message({ msgid, seq, data, addr }) : undefined
}
