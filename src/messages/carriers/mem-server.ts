/**
 * Layer 8. `mem://;mode=server`: messages from and to any number of clients of the same program, as
 * `tcp://;mode=server` has them: every message has the `addr` of its client, Connect and Disconnect
 * say who comes and goes, and posting needs an `addr`.
 *
 * Rules:
 * 1. What clients post is in one queue, in the order of posting; each client has a queue of its own
 *    for what it is sent.
 * 2. A client that is told to go, as the server closes or posts Disconnect, reads what is in its
 *    queue first.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Init } from '../init.ts'
import { carried, END, FRAME, Queue } from './mem-queue.ts'
import { type Addr, Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'

/** The queues of one channel. */
export interface MemLink {
  readonly in: Queue
  readonly out: Queue
  /** Of a client: who the server says that it is, and what is to be called when it has closed. */
  readonly addr?: Addr
  left?(): void
}

/** Ours; what it does is what `tcp` does. */
export class MemServer extends MessageChannel {
  static override readonly protocol = 'mem-server'

  readonly is_full: boolean
  readonly #size: Bytes
  #in: Queue | undefined
  readonly #clients = new Map<Addr, Queue>()
  /** The number of the last client. */
  #count = 0

  constructor(init: Init) {
    super(init)
    const { params } = init
    if (init.master !== undefined) throw params.fault('master', 'left out: a server has none')
    this.#size = params.size('size', 65_536, 2 * FRAME)
    this.is_full = params.choice('frame', ['normal', 'full'], 'normal') === 'full'
  }

  /** How many clients it has. */
  override get info(): Readonly<Record<string, unknown>> {
    return { peers: this.#clients.size }
  }

  override get client_url(): string | undefined {
    return `mem://;master=${this.name}`
  }

  override do_open(): void {
    this.#in = new Queue(this.#size)
    this.#in.reader = this
  }

  /** For its clients only: one of that name has come. */
  link(name: string): MemLink {
    const addr = ++this.#count
    const queue = new Queue(this.#size)
    const out = this.#in as Queue
    this.#clients.set(addr, queue)
    out.push(new Message({ type: 'control', msgid: Control.Connect, addr, data: name }))
    const left = (): void => {
      this.#clients.delete(addr)
      out.push(new Message({ type: 'control', msgid: Control.Disconnect, addr }))
    }
    return { in: queue, out, addr, left }
  }

  override do_close(): void {
    for (const queue of this.#clients.values()) queue.push(END)
    this.#clients.clear()
    this.#in?.leave(this)
    this.#in = undefined
  }

  /**
   * To the client of `addr`. False also where it has gone. Throws InvalidArgumentError for an
   * `addr` that no client ever had.
   */
  override do_post(message: Message): boolean {
    const { addr, type, msgid } = message
    if (typeof addr !== 'number' || !(addr >= 1 && addr <= this.#count))
      throw new InvalidArgumentError('post: addr', 'that of a message from the client', addr)
    const queue = this.#clients.get(addr)
    if (queue === undefined) return false
    const whole = carried(message, this.is_full, undefined)
    if (type === 'control' && msgid === Control.Disconnect) queue.push(END)
    else if (whole !== undefined) return queue.post(whole, this, addr)
    return true
  }

  override do_process(): false | void {
    const queue = this.#in as Queue
    const message = queue.shift()
    if (message === undefined) return false
    this.emit(message)
    queue.tellWriters()
  }
}
