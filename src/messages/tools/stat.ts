/**
 * Layer 8. Counting what a channel has received and sent, with `stat=yes`.
 */

import type { Bytes } from '../../types.ts'
import type { Message } from '../message.ts'

/**
 * Messages and bytes, of data alone. Control messages are not counted, nor what could not be
 * posted.
 */
export interface Counts {
  readonly rx: number
  readonly rxb: Bytes
  readonly tx: number
  readonly txb: Bytes
}

/** The counters of one channel. */
export class Stat implements Counts {
  rx = 0
  rxb: Bytes = 0
  tx = 0
  txb: Bytes = 0

  /** Returns what was counted since the last swap, and begins anew. */
  swap(): Counts {
    const { rx, rxb, tx, txb } = this
    this.rx = this.rxb = this.tx = this.txb = 0
    return { rx, rxb, tx, txb }
  }
}

/** For channels only. */
export function countReceived(stat: Stat, { type, data }: Message): void {
  if (type !== 'data') return
  stat.rx++
  stat.rxb += data.length
}

/** For channels only. */
export function countSent(stat: Stat, { type, data }: Message): void {
  if (type !== 'data') return
  stat.tx++
  stat.txb += data.length
}
