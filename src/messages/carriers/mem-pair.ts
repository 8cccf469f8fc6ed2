/**
 * Layer 8. `mem://`: messages between channels of one program, through bounded queues. A posted
 * message arrives later, when the receiver is processed, one at a time. (With `direct://` it
 * arrives inside `post`.)
 *
 *     mem://;name=a and mem://;master=a               two channels, a queue each way
 *     mem://;name=a;mode=server and mem://;master=a   a server and its clients, see mem-server.ts
 *
 * | parameter | meaning |
 * |---|---|
 * | `size=64kb` | the limit of each queue |
 * | `frame=normal` | data arrives with its msgid and seq; other messages are dropped |
 * | `frame=full` | messages of every type arrive, with every field |
 *
 * Rules:
 * 1. The message that fills a queue, or is refused, makes the channel emit WriteFull. Then `post`
 *    returns false until it emits WriteReady, when half of the queue is free.
 * 2. A slave opens only while its master is active. A master that is not a server has one open
 *    slave at a time.
 * 3. If the master closes, its slave keeps its queues and emits Disconnect; what it posts from then
 *    on is dropped. A client of a server closes when it has read what is in its queue.
 */

import { WriteError } from '../../errors.ts'
import type { Bytes, CloseReason } from '../../types.ts'
import { channel_cast } from '../cast.ts'
import type { Init } from '../init.ts'
import { Control, type Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import { carried, END, FRAME, MemQueue } from './mem-queue.ts'
import { type MemLink, MemServer } from './mem-server.ts'

/** The channel of `mem://`. */
// Source: TLL `mem`. Differs: it emits control WriteFull and WriteReady, so that the program need
// not try again and again.
export class MemPair extends MessageChannel {
  static override readonly protocol = 'mem-pair'

  readonly #master: MemPair | MemServer | undefined
  readonly #size: Bytes
  /** `frame=full`. A slave has that of its master. */
  readonly carriesAll: boolean
  #link: MemLink | undefined
  #reason: CloseReason | undefined

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#master =
      init.master && (channel_cast(init.master, MemPair) ?? channel_cast(init.master, MemServer))
    if (init.master !== undefined && this.#master === undefined)
      throw params.fault('master', 'a mem:// channel')
    this.#size = params.size('size', 65_536, 2 * FRAME)
    this.carriesAll =
      this.#master?.carriesAll ?? params.choice('frame', ['normal', 'full'], 'normal') === 'full'
  }

  override get client_url(): string | undefined {
    return this.#master === undefined ? `mem://;master=${this.name}` : undefined
  }

  override do_open(): void {
    const master = this.#master
    if (master !== undefined && master.state !== 'active')
      throw new WriteError(
        'ERR_MASTER',
        `${master.name}, the master, is ${master.state}, not active`,
      )
    this.#reason = undefined
    this.#link =
      master === undefined
        ? { in: new MemQueue(this.#size), out: new MemQueue(this.#size) }
        : master.link(this.name)
    this.#link.in.reader = this
    if (!this.#link.in.isEmpty) this.update_dcaps(['pending'])
  }

  /** Called by a slave that opens: the queues of this channel, as the slave sees them. */
  link(): MemLink {
    const link = this.#link as MemLink
    // Two slaves would take each other's messages.
    const { reader } = link.out
    if (reader !== undefined)
      throw new WriteError(
        'ERR_MASTER',
        `${this.name}, the master, already has an open slave, ${reader.name}`,
      )
    return { in: link.out, out: link.in }
  }

  override do_close(): void {
    const link = this.#link
    this.#link = undefined
    link?.in.leave(this)
    link?.out.leave(this)
    link?.left?.()
    if (this.#master === undefined && link !== undefined) {
      link.out.reader?.emit({ type: 'control', msgid: Control.Disconnect })
      link.in.abandon()
    }
    this.finish_close(this.#reason)
  }

  override do_post(message: Message): boolean {
    const { out, addr } = this.#link as MemLink
    const whole = carried(
      message,
      this.carriesAll,
      addr ?? (this.carriesAll ? message.addr : undefined),
    )
    return whole === undefined || out.post(whole, this)
  }

  override do_process(): false | void {
    const queue = (this.#link as MemLink).in
    const message = queue.shift()
    if (message === undefined) return false
    if (message === END) {
      this.#reason = 'remote'
      return this.close()
    }
    this.emit(message)
    queue.tellWriters()
  }
}
