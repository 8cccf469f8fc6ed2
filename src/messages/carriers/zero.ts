/**
 * Layer 8. `zero://;size=1kb;msgid=0;fill=0;pending=yes`: gives the same message again and again,
 * as fast as it is taken; what it is sent is dropped.
 *
 * With `pending=no` it gives one only when `process` is called.
 */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'
import { Message } from '../message.ts'
import type { Init } from '../init.ts'
import { MessageChannel } from '../message-channel.ts'

/** The largest `size`: it is held in memory. */
const MOST: Bytes = 2 ** 30

/** Source: TLL `zero`. */
export class Zero extends MessageChannel {
  static override readonly protocol = 'zero'
  static override readonly caps = ['in'] as const

  readonly #data: Buffer
  readonly #msgid: number
  readonly #isPending: boolean
  #seq = 0n

  constructor(init: Init) {
    super(init)
    const { params } = init
    const size = params.size('size', 1024)
    if (size > MOST) throw params.fault('size', 'at most 1gb')
    this.#data = Buffer.alloc(size, params.integer('fill', 0, { least: 0, most: 255 }))
    this.#msgid = params.integer('msgid', 0)
    this.#isPending = params.boolean('pending', true)
  }

  override do_open(): void {
    this.#seq = 0n
    if (this.#isPending) this.update_dcaps(['pending'])
  }

  override do_post(): void {}

  override do_process(): void {
    this.emit(new Message({ msgid: this.#msgid, seq: this.#seq++, data: this.#data }))
  }
}
