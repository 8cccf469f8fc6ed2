/**
 * Layer 8. Stat: counts what a channel has received and sent, with `stat=yes`.
 */

import type { Bytes } from '../../types.ts'
import type { Message } from '../message.ts'

/**
 * Numbers of messages of type 'data', and of their bytes. Other types are not counted, nor are
 * messages for which `post` returned false.
 */
export interface Counts {
  /** Received messages. */
  readonly rx: number
  /** Received bytes. */
  readonly rxb: Bytes
  /** Sent messages. */
  readonly tx: number
  /** Sent bytes. */
  readonly txb: Bytes
}

/** The counters of one channel. */
// Source: TLL `stat`.
export class Stat implements Counts {
  rx = 0
  rxb: Bytes = 0
  tx = 0
  txb: Bytes = 0

  /** Returns what was counted since the last call, and starts again at 0. */
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
