/**
 * Layer 8. `filter+child://;messages=10,20-29,!25`: passes only data with these msgids, in both
 * directions.
 *
 * - `10`, `20-29`: these msgids pass. If no such item is given, all pass.
 * - `!25`: this msgid does not pass, even if another item names it.
 *
 * A posted message that does not pass is dropped, and `post` returns true. Other types than data
 * always pass.
 */

import type { Init } from '../init.ts'
import type { Message } from '../message.ts'
import { parseInteger } from '../values.ts'
import { Prefix } from './prefix.ts'

type Range = readonly [least: number, most: number]

/** The prefix `filter+`. */
// Source: TLL `filter`. Differs: it filters by msgid, not by name: there are no schemes.
export class Filter extends Prefix {
  static override readonly protocol = 'filter+'

  readonly #included: Range[] = []
  readonly #excluded: Range[] = []

  constructor(init: Init) {
    super(init)
    if (!this.carries.msgid)
      throw this.carrier.params.fault('frame', 'one that carries a msgid, such as std')
    for (const each of init.params.list('messages')) {
      const isExcluded = each.startsWith('!')
      const range = rangeOf(isExcluded ? each.slice(1) : each)
      if (range === undefined)
        throw init.params.fault(
          'messages',
          'msgids and ranges of them, each with ! if it must not pass: 10,20-29,!25',
        )
      ;(isExcluded ? this.#excluded : this.#included).push(range)
    }
  }

  override do_post(message: Message): boolean {
    return this.#passes(message) ? super.do_post(message) : true
  }

  override child_data(message: Message): Promise<void> | undefined {
    return this.#passes(message) ? super.child_data(message) : undefined
  }

  #passes({ type, msgid }: Message): boolean {
    if (type !== 'data') return true
    return (
      !isAmong(msgid, this.#excluded) &&
      (this.#included.length === 0 || isAmong(msgid, this.#included))
    )
  }
}

function isAmong(msgid: number, ranges: readonly Range[]): boolean {
  return ranges.some(range => msgid >= range[0] && msgid <= range[1])
}

function rangeOf(text: string): Range | undefined {
  const [, first = '', last = first] = /^(-?\w+?)(?:-(-?\w+))?$/.exec(text) ?? []
  const [least, most] = [parseInteger(first), parseInteger(last)]
  if (least === undefined || most === undefined || least > most) return undefined
  return least === (least | 0) && most === (most | 0) ? [least, most] : undefined
}
