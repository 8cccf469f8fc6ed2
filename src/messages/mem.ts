/**
 * Layer 7. `mem://;size=64kb;frame=normal` and `mem://;master=…`: two channels of one program, with a bounded queue each way. Unlike direct, what is
 * posted arrives later, when the receiver is processed, one message at a time.
 *
 * `frame=normal` carries msgid and seq of data; `frame=full` carries everything, control messages included.
 *
 * Rules:
 * 1. When a queue is full, `post` returns false and the poster gets WriteFull; when half of it is free again, WriteReady.
 * 2. A slave opens only while its master is active and has no other. When the master closes, a slave keeps the queues it has.
 */

import { InvalidArgumentError, WriteError } from '../errors.ts'
import type { Bytes } from '../types.ts'
import { channel_cast } from './cast.ts'
import { Control, Message } from './message.ts'
import type { Init } from './init.ts'
import { MessageChannel } from './message-channel.ts'

/** What a message takes besides its data: as much as a frame of size, msgid and seq. */
const FRAME: Bytes = 16

/** One direction: messages, and their bytes. */
class Queue {
  readonly #limit: Bytes
  #messages: Message[] = []
  /** The first ones are taken: an array is not shifted for each. */
  #taken = 0
  #bytes: Bytes = 0
  /** Who reads, and who waits for room. */
  reader: MessageChannel | undefined
  writer: MessageChannel | undefined

  constructor(limit: Bytes) {
    this.#limit = limit
  }

  fits(size: Bytes): boolean {
    return this.#bytes + size + FRAME <= this.#limit
  }

  couldFit(size: Bytes): boolean {
    return size + FRAME <= this.#limit
  }

  push(message: Message): void {
    this.#messages.push(message)
    this.#bytes += message.data.length + FRAME
    this.reader?.update_dcaps(['pending'])
  }

  shift(): Message | undefined {
    const message = this.#messages[this.#taken]
    if (message === undefined) return undefined
    this.#bytes -= message.data.length + FRAME
    if (++this.#taken === this.#messages.length) {
      this.#messages = []
      this.#taken = 0
    }
    return message
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  /** Tells who waits, as soon as half is free. */
  tellWriter(): void {
    const { writer } = this
    if (writer === undefined || this.#bytes > this.#limit / 2) return
    this.writer = undefined
    writer.emit(new Message({ type: 'control', msgid: Control.WriteReady }))
  }
}

/** Source: TLL `mem`. `Differs:` control WriteFull and WriteReady, so that who posts need not ask again and again. */
export class Mem extends MessageChannel {
  static override readonly protocol = 'mem'

  readonly #master: Mem | undefined
  readonly #size: Bytes
  readonly #isFull: boolean
  #in: Queue | undefined
  #out: Queue | undefined

  constructor(init: Init) {
    super(init)
    const { params } = init
    const master = init.master === undefined ? undefined : channel_cast(init.master, Mem)
    this.#master = master
    if (init.master !== undefined && master === undefined) throw params.fault('master', 'a mem:// channel')
    this.#size = params.size('size', 65_536, 2 * FRAME)
    this.#isFull = master === undefined ? params.choice('frame', ['normal', 'full'], 'normal') === 'full' : master.#isFull
  }

  override get client_url(): string | undefined {
    return this.#master === undefined ? `mem://;master=${this.name}` : undefined
  }

  override do_open(): void {
    const master = this.#master
    if (master === undefined) {
      this.#in = new Queue(this.#size)
      this.#out = new Queue(this.#size)
    } else {
      if (master.state !== 'active') throw new WriteError('ERR_MASTER', `${master.name}, the master, is ${master.state}, not active`)
      // Two would take each other's messages.
      const other = master.#out?.reader
      if (other !== undefined) throw new WriteError('ERR_MASTER', `${master.name}, the master, has a slave that is open: ${other.name}`)
      this.#in = master.#out as Queue
      this.#out = master.#in as Queue
    }
    this.#in.reader = this
    if (!this.#in.isEmpty) this.update_dcaps(['pending'])
  }

  override do_close(): void {
    if (this.#in?.reader === this) this.#in.reader = undefined
    if (this.#out?.writer === this) this.#out.writer = undefined
    this.#in = this.#out = undefined
  }

  override do_post(message: Message): boolean {
    const queue = this.#out as Queue
    const size = message.data.length
    if (message.type !== 'data' && !this.#isFull) throw new InvalidArgumentError('post: type', "'data' without frame=full", message.type)
    if (!queue.couldFit(size)) throw new InvalidArgumentError('post: data', `at most ${this.#size - FRAME} bytes long (size=${this.#size}b)`, size)
    if (!queue.fits(size)) {
      if (queue.writer === undefined) {
        queue.writer = this
        this.emit(new Message({ type: 'control', msgid: Control.WriteFull }))
      }
      return false
    }
    queue.push(this.#isFull ? message : new Message({ msgid: message.msgid, seq: message.seq, data: message.data }))
    return true
  }

  override do_process(): false | void {
    const queue = this.#in as Queue
    const message = queue.shift()
    if (queue.isEmpty) this.update_dcaps([], ['pending'])
    if (message === undefined) return false
    this.emit(message)
    queue.tellWriter()
  }
}
