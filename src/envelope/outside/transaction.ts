/**
 * Layer 9. Transaction: holds what is sent from outside a connection until a database has
 * committed. Then three or more equal messages are merged into a batch.
 *
 * The program drives it: it makes a Transaction, tells sluice how to find it (`transactions_from`),
 * and calls `commit` or `rollback` together with those of its database.
 */

import { instanceOf } from '../../core/checks.ts'
import { InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import { Batch } from '../builtin/batch.ts'
import type { Envelope } from '../envelope.ts'
import type { LayerEvent } from '../envelope-transports.ts'
import type { AnyMessageClass, Message } from '../message.ts'

/** One message that is to be sent, and where. */
export interface Outbound {
  readonly envelope: Envelope<any>
  readonly message: Message
  /** Made at the call, so that what is wrong with it is thrown there. */
  readonly event: LayerEvent
  readonly channel_name: string
  readonly isGroup: boolean
  /** Sends an event to the same place. Returns false if it is dropped. */
  send(event: LayerEvent): boolean
}

/** Adds what is to be sent, for other files of sluice. */
export const ADD: unique symbol = Symbol('sluice.add')

/** With this number of equal messages, one batch is shorter. */
const ENOUGH = 3

/** The most messages in a batch. A `list` on the other side takes no more. */
const MOST = 10_000

/**
 * Collects what is sent, until `commit`.
 *
 * @example
 * const transaction = new Transaction()
 * try {
 *   await storage.run(transaction, work) // an AsyncLocalStorage, see `transactions_from`
 *   await database.commit()
 *   transaction.commit()
 * } catch (error) {
 *   transaction.rollback()
 * }
 */
export class Transaction {
  /** 'open' until `commit` or `rollback`. */
  #state: 'open' | 'committed' | 'rolled back' = 'open'
  #waiting: Outbound[] = []

  /** 'open', 'committed' or 'rolled back'. */
  get state(): 'open' | 'committed' | 'rolled back' {
    return this.#state
  }

  /** How many messages wait. */
  get size(): number {
    return this.#waiting.length
  }

  /** @hidden */
  [ADD](outbound: Outbound): void {
    this.#checkOpen('websocket_send()')
    this.#waiting.push(outbound)
  }

  /**
   * Sends what waits, in the order of the calls. Three or more messages of one type, to the same
   * consumer or group and with the same state, are merged into one batch at the place of the first,
   * if their envelope and their class allow it.
   *
   * Throws InvalidStateError if it was committed or rolled back, and the RelayError of a relay that
   * refuses a message. The other messages are sent all the same.
   */
  commit(): void {
    this.#checkOpen('commit()')
    this.#state = 'committed'
    const waiting = this.#waiting.splice(0)
    const equals = groups(waiting)
    const faults: unknown[] = []
    for (const each of waiting) {
      const equal = equals.get(keyOf(each)) as Outbound[]
      try {
        if (equal.length < ENOUGH || !mayMerge(each)) each.send(each.event)
        else if (equal[0] === each) sendMerged(equal)
      } catch (error) {
        faults.push(error)
      }
    }
    if (faults.length > 0) throw faults[0]
  }

  /** Drops what waits. Throws InvalidStateError if it was committed or rolled back. */
  rollback(): void {
    this.#checkOpen('rollback()')
    this.#state = 'rolled back'
    this.#waiting = []
  }

  #checkOpen(what: string): void {
    if (this.#state !== 'open')
      throw new InvalidStateError(what, `the transaction is ${this.#state}`, 'make another one')
  }
}

function groups(waiting: readonly Outbound[]): Map<string, Outbound[]> {
  const found = new Map<string, Outbound[]>()
  for (const each of waiting) {
    const key = keyOf(each)
    const equal = found.get(key)
    if (equal === undefined) found.set(key, [each])
    else equal.push(each)
  }
  return found
}

function keyOf({ message, envelope, channel_name, isGroup }: Outbound): string {
  const { type_name, mm } = message
  return JSON.stringify([type_name, channel_name, envelope.name, mm.state, isGroup])
}

function mayMerge({ message, envelope }: Outbound): boolean {
  return envelope.allow_batch && (message.constructor as AnyMessageClass).allow_batch
}

function sendMerged(equal: readonly Outbound[]): void {
  for (let from = 0; from < equal.length; from += MOST) {
    const [first, ...others] = equal.slice(from, from + MOST) as [Outbound, ...Outbound[]]
    const batch = Batch.start(first.message)
    for (const { message } of others) batch.append(message)
    const { envelope } = first
    first.send((envelope.transport as NonNullable<typeof envelope.transport>).wrap(envelope, batch))
  }
}

const isTransaction = instanceOf(Transaction)

let find: (() => Transaction | undefined) | undefined

/**
 * Says how the transaction is found in which a call is made. The function returns undefined if
 * there is none. Without a function there is never one. Throws InvalidArgumentError.
 *
 * @example
 * const storage = new AsyncLocalStorage<Transaction>()
 * transactions_from(() => storage.getStore())
 */
export function transactions_from(finder?: () => Transaction | undefined): void {
  if (finder !== undefined && typeof finder !== 'function')
    throw new InvalidArgumentError('transactions_from', 'a function', finder)
  find = finder
}

/**
 * The transaction in which a call is made. Throws InvalidArgumentError if the program has found
 * something else.
 */
export function currentTransaction(): Transaction | undefined {
  const found = find?.()
  if (found !== undefined) isTransaction('what transactions_from finds', found)
  return found
}
