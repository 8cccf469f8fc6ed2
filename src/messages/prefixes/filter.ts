/**
 * Layer 8. `filter+child://;messages=10,20-29,!25`: only data with these msgids passes, both ways.
 * With '!' those that do not pass: they win. Where all have one, whatever is not named passes.
 *
 * A message that is posted and does not pass is taken and dropped.
 */

import type { Init } from '../init.ts'
import type { Message } from '../message.ts'
import { Prefix } from './prefix.ts'
import { parseInteger } from '../values.ts'

type Range = readonly [least: number, most: number]

/** Source: TLL `filter`. `Differs:` by msgid, as there are no schemes that would give names. */
export class Filter extends Prefix {
  static override readonly protocol = 'filter+'

  readonly #included: Range[] = []
  readonly #excluded: Range[] = []

  constructor(init: Init) {
    super(init)
    for (const each of init.params.list('messages')) {
      const isExcluded = each.startsWith('!')
      const range = rangeOf(isExcluded ? each.slice(1) : each)
      if (range === undefined)
        throw init.params.fault(
          'messages',
          'msgids and ranges of them, with ! before those to be left out: 10,20-29,!25',
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
    const isIn = ([least, most]: Range): boolean => msgid >= least && msgid <= most
    if (type !== 'data') return true
    return !this.#excluded.some(isIn) && (this.#included.length === 0 || this.#included.some(isIn))
  }
}

function rangeOf(text: string): Range | undefined {
  const [, least = '', most = least] = /^(-?\w+?)(?:-(-?\w+))?$/.exec(text) ?? []
  const range = [parseInteger(least), parseInteger(most)] as const
  return range[0] === undefined || range[1] === undefined ? undefined : (range as Range)
}
