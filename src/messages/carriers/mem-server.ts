/**
 * Layer 8. `mem://;mode=server`: messages from and to any number of clients in the same program. It
 * behaves like `tcp://;mode=server`: every message has the `addr` of its client, posting needs an
 * `addr`, and control Connect and Disconnect report clients that come and go.
 *
 * Rules:
 * 1. The messages of all clients are in one queue, in the order of posting. Each client has its own
 *    queue for the messages it receives.
 * 2. If the server closes, or posts Disconnect, the client first reads what is in its queue, then
 *    closes.
 *
 * TLL has no such channel. It is here so that a program with a server can be tested without
 * sockets.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Init } from '../init.ts'
import { type Addr, Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import { carried, END, FRAME, MemQueue } from './mem-queue.ts'

/** The queues of one channel. */
export interface MemLink {
  readonly in: MemQueue
  readonly out: MemQueue
  /** For a client: its number. */
  readonly addr?: Addr
  /** For a client: it calls this when it closes. */
  left?(): void
}

export class MemServer extends MessageChannel {
  static override readonly protocol = 'mem-server'

  readonly carriesAll: boolean
  readonly #size: Bytes
  #in: MemQueue | undefined
  readonly #clients = new Map<Addr, MemQueue>()
  /** The number of the newest client. */
  #count = 0

  constructor(init: Init) {
    super(init)
    const { params } = init
    if (init.master !== undefined) throw params.fault('master', 'left out: a server has none')
    this.#size = params.size('size', 65_536, 2 * FRAME)
    this.carriesAll = params.choice('frame', ['normal', 'full'], 'normal') === 'full'
  }

  /** `peers`: the number of its clients. */
  override get info(): Readonly<Record<string, unknown>> {
    return { peers: this.#clients.size }
  }

  override get client_url(): string | undefined {
    return `mem://;master=${this.name}`
  }

  override do_open(): void {
    this.#in = new MemQueue(this.#size)
    this.#in.reader = this
  }

  /** Called by a client of that name that opens. Returns its queues. */
  link(name: string): MemLink {
    const addr = ++this.#count
    const queue = new MemQueue(this.#size)
    const out = this.#in as MemQueue
    this.#clients.set(addr, queue)
    out.push(new Message({ type: 'control', msgid: Control.Connect, addr, data: name }))
    const left = (): void => {
      this.#clients.delete(addr)
      out.push(new Message({ type: 'control', msgid: Control.Disconnect, addr }))
    }
    return { in: queue, out, addr, left }
  }

  override do_close(): void {
    for (const queue of this.#clients.values()) {
      // What its client reads later is no affair of the next opening.
      queue.leave(this)
      queue.push(END)
    }
    this.#clients.clear()
    this.#in?.leave(this)
    this.#in = undefined
  }

  /**
   * Sends to the client `addr`. Returns false also if that client has gone. Throws
   * InvalidArgumentError for an `addr` that no client ever had.
   */
  override do_post(message: Message): boolean {
    const { addr, type, msgid } = message
    if (typeof addr !== 'number' || !(addr >= 1 && addr <= this.#count))
      throw new InvalidArgumentError('post: addr', 'the addr of a message from the client', addr)
    const queue = this.#clients.get(addr)
    if (queue === undefined) return false
    const whole = carried(message, this.carriesAll, undefined)
    if (type === 'control' && msgid === Control.Disconnect) queue.push(END)
    else if (whole !== undefined) return queue.post(whole, this, addr)
    return true
  }

  override do_process(): false | void {
    const queue = this.#in as MemQueue
    const message = queue.shift()
    if (message === undefined) return false
    this.emit(message)
    queue.tellWriters()
  }
}
