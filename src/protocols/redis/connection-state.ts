/**
 * Layer 7. ConnectionState: what commands have changed of the connection that they went by: the
 * database that is selected, whether keys are watched, and whether a transaction has begun.
 */

import { noop } from '../../core/noop.ts'
import type { Command } from './command.ts'
import { RedisError } from './errors.ts'
import type { RedisSession } from './redis-session.ts'
import type { Reply } from './reply.ts'

export class ConnectionState {
  readonly #session: () => RedisSession | undefined
  readonly #selected: (db: number) => void
  /** The session on which keys are watched (WATCH), until the next transaction. */
  #watching: RedisSession | undefined
  /** The database that the transaction selects which has not run yet. */
  #selectedLater: number | undefined

  /** `session`: the one for commands. `selected` is told of another database. */
  constructor(session: () => RedisSession | undefined, selected: (db: number) => void) {
    this.#session = session
    this.#selected = selected
  }

  /** Some commands change the connection. */
  follow({ name, words, promise }: Command): void {
    if (name === 'SELECT') promise.then(reply => this.#selects(Number(words[1]), reply), noop)
    else if (name === 'WATCH') promise.then(() => (this.#watching ??= this.#session()), noop)
    else if (name === 'UNWATCH') promise.then(() => (this.#watching = undefined), noop)
    else if (name === 'MULTI') promise.then(() => this.#queues(true), noop)
    else if (name === 'EXEC' || name === 'DISCARD')
      promise.then(
        reply => this.#transacted(reply),
        () => this.#transacted(null),
      )
  }

  #selects(db: number, reply: Reply): void {
    if (reply === 'OK') this.#selected(db)
    // In a transaction.
    else this.#selectedLater = db
  }

  /** A ping would be a part of it. */
  #queues(isQueueing: boolean): void {
    const session = this.#session()
    if (session !== undefined) session.isQueueing = isQueueing
  }

  /** A transaction is over. If it was dropped, the reply is no array. */
  #transacted(reply: Reply): void {
    this.#queues(false)
    const db = this.#selectedLater
    this.#watching = this.#selectedLater = undefined
    if (db === undefined || !Array.isArray(reply)) return
    if (!reply.some(each => /db index/i.test(String(each)))) this.#selected(db)
  }

  /**
   * A transaction begins: no key is watched after it. Returns why it must not run. (The server
   * forgets with the connection what it watched, and would run everything.)
   */
  takeWatch(): RedisError | undefined {
    const watching = this.#watching
    this.#watching = undefined
    if (watching === undefined || watching === this.#session()) return undefined
    return new RedisError('ERR_WATCHED', 'the connection was lost on which keys were watched')
  }

  /** The connection is lost. */
  lost(): void {
    this.#selectedLater = undefined
  }

  /** The client is opened again. */
  reset(): void {
    this.#watching = this.#selectedLater = undefined
  }
}
