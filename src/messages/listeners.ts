/**
 * Layer 8. Who is told of messages, each of the types that they asked for.
 *
 * Rules:
 * 1. They are called in the order in which they were added. One that is deleted meanwhile is not
 *    called any more; one that is added meanwhile is called from the next message on.
 * 2. What one throws keeps no other from being called.
 */

import { InvalidArgumentError, InvalidStateError } from '../errors.ts'
import type { Message, MessageType } from './message.ts'

/**
 * Is told of messages. If it returns a promise, the next message waits until that settles, where
 * the channel can wait.
 */
export type Listener = (message: Message) => unknown

/** Types of messages: one, several, or 'all', which is every type but 'channel'. */
export type Mask = MessageType | readonly MessageType[] | 'all'

const BIT: Readonly<Record<MessageType, number>> = { data: 1, control: 2, state: 4, channel: 8 }
const ALL = BIT.data | BIT.control | BIT.state

interface Slot {
  readonly listener: Listener
  mask: number
}

export class Listeners {
  #slots: readonly Slot[] = []
  /** The types that anybody asked for. */
  #mask = 0

  /** Added already: it is told of these types, too. */
  add(listener: Listener, mask: Mask): void {
    if (typeof listener !== 'function')
      throw new InvalidArgumentError('callback_add', 'a function', listener)
    const bits = bitsOf(mask)
    const slot = this.#slots.find(each => each.listener === listener)
    if (slot === undefined) this.#slots = [...this.#slots, { listener, mask: bits }]
    else slot.mask |= bits
    this.#mask |= bits
  }

  /** Throws InvalidStateError for one that was never added. */
  delete(listener: Listener, mask: Mask): void {
    const slot = this.#slots.find(each => each.listener === listener)
    if (slot === undefined) {
      throw new InvalidStateError(
        'callback_del()',
        'this callback was not added, or is deleted already',
        'give the function that callback_add got',
      )
    }
    slot.mask &= ~bitsOf(mask)
    if (slot.mask === 0) this.#slots = this.#slots.filter(each => each !== slot)
    this.#mask = this.#slots.reduce((bits, each) => bits | each.mask, 0)
  }

  /** Does anybody listen to that type? */
  has(type: MessageType): boolean {
    return (this.#mask & BIT[type]) !== 0
  }

  /** Tells all of them. `returned` gets what is not undefined, `failed` what was thrown. */
  call(
    message: Message,
    returned: (result: unknown) => void,
    failed: (error: unknown) => void,
  ): void {
    const bit = BIT[message.type]
    if ((this.#mask & bit) === 0) return
    for (const slot of this.#slots) {
      if ((slot.mask & bit) === 0) continue
      try {
        const result = slot.listener(message)
        if (result !== undefined) returned(result)
      } catch (error) {
        failed(error)
      }
    }
  }
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
