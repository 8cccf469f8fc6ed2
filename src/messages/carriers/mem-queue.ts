/**
 * Layer 8. One direction of `mem://`: messages that wait for who reads them, and no more bytes of
 * them than its limit.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import { type Addr, Control, Message } from '../message.ts'
import type { MessageChannel } from '../message-channel.ts'

/** What a message takes besides its data: as much as a frame of size, msgid and seq. */
export const FRAME: Bytes = 16

/** So many messages that were taken are worth being cut off. */
const MANY = 1000

/** The last message of a queue: who reads it closes. */
export const END = new Message({ type: 'control', msgid: Control.Disconnect })

export class Queue {
  /** 'pending' while there are messages. */
  reader: MessageChannel | undefined
  readonly #limit: Bytes
  #messages: Message[] = []
  /** The first ones are taken: an array is not shifted for each. */
  #taken = 0
  #bytes: Bytes = 0
  /** Who waits for room, and the addr that WriteFull and WriteReady have. */
  readonly #writers = new Map<MessageChannel, Addr | undefined>()

  constructor(limit: Bytes) {
    this.#limit = limit
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  /**
   * Takes a message of `writer` if there is room; otherwise that is told WriteFull, and later
   * WriteReady. Throws InvalidArgumentError for one that never has room.
   */
  post(message: Message, writer: MessageChannel, addr?: Addr): boolean {
    const size = message.data.length + FRAME
    if (size > this.#limit) {
      throw new InvalidArgumentError(
        'post: data',
        `at most ${this.#limit - FRAME} bytes long (size=${this.#limit}b)`,
        message.data.length,
      )
    }
    if (this.#bytes + size <= this.#limit) {
      this.push(message)
      return true
    }
    if (!this.#writers.has(writer)) {
      this.#writers.set(writer, addr)
      writer.emit({ type: 'control', msgid: Control.WriteFull, addr })
    }
    return false
  }

  /** Takes it, room or not. */
  push(message: Message): void {
    this.#messages.push(message)
    this.#bytes += message.data.length + FRAME
    this.reader?.update_dcaps(['pending'])
  }

  /** The next message; call `tellWriters` when it has been worked on. */
  shift(): Message | undefined {
    const message = this.#messages[this.#taken]
    if (message !== undefined) this.#take(message)
    if (this.isEmpty) this.reader?.update_dcaps([], ['pending'])
    return message
  }

  #take(message: Message): void {
    this.#bytes -= message.data.length + FRAME
    this.#taken++
    // Also when it never is empty: what was taken is not held for ever.
    if (
      this.#taken === this.#messages.length ||
      (this.#taken >= MANY && this.#taken >= this.#messages.length / 2)
    ) {
      this.#messages = this.#messages.slice(this.#taken)
      this.#taken = 0
    }
  }

  /** Tells who waits, as soon as half is free. */
  tellWriters(): void {
    if (this.#writers.size === 0 || this.#bytes > this.#limit / 2) return
    const writers = [...this.#writers]
    this.#writers.clear()
    for (const [writer, addr] of writers)
      writer.emit({ type: 'control', msgid: Control.WriteReady, addr })
  }

  /** That one waits no more, and reads no more. */
  leave(channel: MessageChannel): void {
    this.#writers.delete(channel)
    if (this.reader === channel) this.reader = undefined
  }
}

/** A message as it arrives: whole, or msgid and seq of data; undefined where nothing does. */
export function carried(
  { type, msgid, seq, data, time }: Message,
  isFull: boolean,
  addr: Addr | undefined,
): Message | undefined {
  if (isFull) return new Message({ type, msgid, seq, data, time, addr })
  return type === 'data' ? new Message({ msgid, seq, data, addr }) : undefined
}
