/**
 * Layer 7. Blocking: commands that wait on the server (BLPOP, XREAD with BLOCK …). Each has a
 * connection of its own meanwhile, as it would hold up all commands after it.
 *
 * Rules:
 * 1. A connection that is idle is used again. There are at most `blocking_connections`; further
 *    commands wait for one. One that has another database selected is not used again.
 * 2. A command whose time is over closes its connection: so the server does not give an element to
 *    somebody who has gone.
 * 3. Such a connection is silent, and a ping would wait for the command. So TCP asks whether there
 *    is a network, and the connection for other commands whether the server lives.
 */

import type { CloseReason } from '../../types.ts'
import type { Command } from './command.ts'
import { RedisError } from './errors.ts'
import { RedisSession, type SessionOwner } from './redis-session.ts'
import type { Target } from './target.ts'

export class Blocking implements SessionOwner {
  readonly #target: Target
  /** All connections, each with the command that it works for. */
  readonly #sessions = new Map<RedisSession, Command | undefined>()
  readonly #idle: RedisSession[] = []
  /** Those that wait for a connection. */
  readonly #waiting = new Set<Command>()

  constructor(target: Target) {
    this.#target = target
  }

  run(command: Command): void {
    const { blocking_connections, limit } = this.#target
    if (this.#waiting.size >= limit)
      return command.fail(
        new RedisError('ERR_OVERFLOW', `${limit} commands that block wait already`),
      )
    const session = this.#idle.pop()
    if (session !== undefined) this.#send(session, command)
    else if (this.#sessions.size < blocking_connections) this.#begin(command)
    else this.#waiting.add(command)
  }

  #begin(command: Command): void {
    const session = new RedisSession(this.#target, this)
    const { ping_interval } = this.#target
    if (ping_interval !== Infinity) session.keep_alive = ping_interval
    this.#sessions.set(session, command)
    session.begin()
  }

  opened(session: RedisSession): void {
    this.#send(session, this.#sessions.get(session) as Command)
  }

  #send(session: RedisSession, command: Command): void {
    this.#sessions.set(session, command)
    session.send(command)
    const done = (): void => this.#done(session)
    command.promise.then(done, done)
  }

  #done(session: RedisSession): void {
    if (!this.#sessions.has(session)) return
    this.#sessions.set(session, undefined)
    const isUsed = session.db === this.#target.db
    if (!isUsed) this.#close(session)
    const next = this.#next()
    if (next !== undefined) isUsed ? this.#send(session, next) : this.#begin(next)
    else if (isUsed) this.#idle.push(session)
  }

  /** The next command that waits. */
  #next(): Command | undefined {
    const [next] = this.#waiting
    if (next !== undefined) this.#waiting.delete(next)
    return next
  }

  /** Its time is over. */
  leave(command: Command): void {
    if (this.#waiting.delete(command)) return
    for (const [session, its] of this.#sessions) if (its === command) this.#close(session)
  }

  #close(session: RedisSession): void {
    this.#sessions.delete(session)
    session.close()
  }

  pushed(): void {}

  lost(session: RedisSession, error: RedisError, _: readonly Command[], reason: CloseReason): void {
    const command = this.#sessions.get(session)
    this.#sessions.delete(session)
    const at = this.#idle.indexOf(session)
    if (at !== -1) this.#idle.splice(at, 1)
    command?.lose(command.sends === 0 ? unsent(error) : error)
    // The engine stops: no other connection can be made.
    if (reason === 'drain') this.#dropWaiting(error)
    const next = this.#next()
    if (next !== undefined) this.#begin(next)
  }

  /** The idle ones have another database selected. */
  retire(): void {
    for (const session of this.#idle.splice(0)) this.#close(session)
  }

  /** Closes all, at once. Resolves when that is done. */
  async close(error: RedisError): Promise<void> {
    const sessions = [...this.#sessions.keys()]
    this.#dropWaiting(error)
    this.lose(error)
    await Promise.all(sessions.map(session => session.closed))
  }

  /** The server gives no sign of life: all connections are of no use. */
  lose(error: RedisError): void {
    this.#idle.length = 0
    for (const [session, command] of [...this.#sessions]) {
      this.#close(session)
      command?.lose(error)
    }
  }

  #dropWaiting(error: RedisError): void {
    for (const command of this.#waiting) command.lose(error)
    this.#waiting.clear()
  }
}

/** Its connection could not be made, so it has not run. */
function unsent(error: RedisError): RedisError {
  if (error.code !== 'ERR_CLOSED') return error
  return new RedisError('ERR_DISCONNECTED', error.message, '', error.cause)
}
