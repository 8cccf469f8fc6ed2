/**
 * Layer 8. `zero://`: gives the same message again and again, as fast as it is processed. Messages
 * that are posted are dropped.
 *
 * | parameter | meaning |
 * |---|---|
 * | `size=1kb` | the length of its data, at most 1gb |
 * | `fill=0` | the value of each byte |
 * | `msgid=0` | the `msgid` of its messages; their `seq` counts 0, 1, 2 … |
 * | `pending=yes` | no: it gives a message only when the program calls `process` |
 */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'
import type { Init } from '../init.ts'
import { Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'

/** The largest `size`: the data is in memory. */
const MOST: Bytes = 2 ** 30

/** The channel of `zero://`. */
// Source: TLL `zero`.
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
    this.#msgid = params.integer('msgid', 0, { least: -(2 ** 31), most: 2 ** 31 - 1 })
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
