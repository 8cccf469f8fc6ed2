/**
 * Layer 8. `mem://` and `mem://;master=…`: two channels with a queue each way; and a client of a
 * server, which has two queues likewise.
 *
 * Rules:
 * 1. When a queue is full, `post` returns false and the poster gets WriteFull; when half of it is
 *    free again, WriteReady.
 * 2. A slave opens only while its master is active, and has no other unless it is a server. When
 *    the master closes, a slave keeps the queues it has; a client closes when it has read what is
 *    in them.
 */

import { WriteError } from '../../errors.ts'
import type { Bytes, CloseReason } from '../../types.ts'
import { channel_cast } from '../cast.ts'
import type { Init } from '../init.ts'
import { carried, END, FRAME, Queue } from './mem-queue.ts'
import { type MemLink, MemServer } from './mem-server.ts'
import type { Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'

/**
 * Source: TLL `mem`. `Differs:` control WriteFull and WriteReady, so that who posts need not ask
 * again and again.
 */
export class MemPair extends MessageChannel {
  static override readonly protocol = 'mem-pair'

  readonly #master: MemPair | MemServer | undefined
  readonly #size: Bytes
  /** Does it carry everything? */
  readonly is_full: boolean
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
    this.is_full =
      this.#master?.is_full ?? params.choice('frame', ['normal', 'full'], 'normal') === 'full'
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
        ? { in: new Queue(this.#size), out: new Queue(this.#size) }
        : master.link(this.name)
    this.#link.in.reader = this
    if (!this.#link.in.isEmpty) this.update_dcaps(['pending'])
  }

  /** For its slave only: its queues, seen from there. */
  link(): MemLink {
    const link = this.#link as MemLink
    // Two would take each other's messages.
    const { reader } = link.out
    if (reader !== undefined)
      throw new WriteError(
        'ERR_MASTER',
        `${this.name}, the master, has a slave that is open: ${reader.name}`,
      )
    return { in: link.out, out: link.in }
  }

  override do_close(): void {
    const link = this.#link
    this.#link = undefined
    link?.in.leave(this)
    link?.out.leave(this)
    link?.left?.()
    this.finish_close(this.#reason)
  }

  override do_post(message: Message): boolean {
    const { out, addr } = this.#link as MemLink
    const whole = carried(message, this.is_full, addr ?? (this.is_full ? message.addr : undefined))
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
