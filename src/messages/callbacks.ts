/**
 * Layer 8. The callbacks of one channel, each with the types of messages that it asked for.
 *
 * Rules:
 * 1. Callbacks are called in the order in which they were added. One that is deleted during a
 *    message is not called any more. One that is added during a message is called from the next
 *    message on.
 * 2. A callback that throws does not keep the others from being called: see outlet.ts.
 */

import { InvalidArgumentError, InvalidStateError } from '../errors.ts'
import type { Addr, Message, MessageType } from './message.ts'

/**
 * Is called with messages. If it returns a promise, the channel delivers its next message when that
 * has settled, provided that the channel can wait.
 */
export type Callback = (message: Message) => unknown

/** Types of messages: one, several, or 'all', which means every type except 'channel'. */
export type Mask = MessageType | readonly MessageType[] | 'all'

const BIT: Readonly<Record<MessageType, number>> = { data: 1, control: 2, state: 4, channel: 8 }
const ALL = BIT.data | BIT.control | BIT.state

/** One callback. */
export interface Slot {
  readonly callback: Callback
  /** The bits of the types that it asked for: 0 when it is deleted. */
  mask: number
  /** Takes data that is text, see texts.ts. */
  readonly onText: TextCallback | undefined
}

/** As a Callback, but for a text as it is. */
type TextCallback = (text: string, addr: Addr | undefined) => unknown

/** The bit of a type in the mask of a slot. */
export function bitOf(type: MessageType): number {
  // Most are data, and looking up a name takes longer than all the rest.
  return type === 'data' ? BIT.data : BIT[type]
}

export class Callbacks {
  /**
   * All of them, in order; those that do not have a message's type in their mask are left out. The
   * array does not change: what is added meanwhile is in another one.
   */
  slots: readonly Slot[] = []
  /** The types that at least one callback asked for. */
  #mask = 0
  /** The `onText` of the only callback for data; undefined if there are more, or it has none. */
  onText: TextCallback | undefined

  /** If the callback was added before, these types are added to its mask. */
  add(callback: Callback, mask: Mask, onText?: TextCallback): void {
    if (typeof callback !== 'function')
      throw new InvalidArgumentError('callback_add', 'a function', callback)
    const bits = bitsOf(mask)
    const slot = this.slots.find(each => each.callback === callback)
    if (slot === undefined) this.slots = [...this.slots, { callback, mask: bits, onText }]
    else slot.mask |= bits
    this.#changed()
  }

  /**
   * Takes these types from the callback's mask, and forgets the callback if none is left. Throws
   * InvalidStateError for a callback that was not added.
   */
  delete(callback: Callback, mask: Mask): void {
    const slot = this.slots.find(each => each.callback === callback)
    if (slot === undefined) {
      throw new InvalidStateError(
        'callback_del()',
        'this callback was not added, or is deleted already',
        'give the function that callback_add got',
      )
    }
    slot.mask &= ~bitsOf(mask)
    if (slot.mask === 0) this.slots = this.slots.filter(each => each !== slot)
    this.#changed()
  }

  #changed(): void {
    this.#mask = this.slots.reduce((bits, each) => bits | each.mask, 0)
    const [first, second] = this.slots.filter(({ mask }) => (mask & BIT.data) !== 0)
    this.onText = second === undefined ? first?.onText : undefined
  }

  /** Has any callback asked for this type? */
  has(type: MessageType): boolean {
    return (this.#mask & bitOf(type)) !== 0
  }
}

/** Is the type among those of the mask? */
export function covers(mask: Mask, type: MessageType): boolean {
  return (bitsOf(mask) & BIT[type]) !== 0
}

function bitsOf(mask: Mask): number {
  if (mask === 'all') return ALL
  return (Array.isArray(mask) ? mask : [mask]).reduce((bits, type: MessageType) => {
    if (BIT[type] === undefined)
      throw new InvalidArgumentError(
        'mask',
        "'all', 'data', 'control', 'state', 'channel', or an array of these",
        mask,
      )
    return bits | BIT[type]
  }, 0)
}
