/**
 * Layer 8. RelayLine: when the connection of a relay stands, whatever it speaks. The lines of
 * RedisRelay and NatsRelay say what connecting is; the rest is here.
 *
 * In the order of a life: 'opening' → 'standing' → 'away' → 'standing' … → 'closed'.
 *
 * Nothing waits in it: what cannot be sent at once is refused. A caller that wants to wait awaits
 * `stands`, and has it counted by `checkWaiting`.
 */

import { type Deferred, deferred } from '../core/deferred.ts'
import { noop } from '../core/noop.ts'
import { quiet } from '../core/promises.ts'
import { pause } from '../core/time/pause.ts'
import { DRIVE, type Engine, logSafely } from '../engine.ts'
import { messageOf } from '../errors.ts'
import type { Bytes, Milliseconds } from '../types.ts'
import { closedError, isRefused, RelayError } from './relay.ts'

/** The wait before a call is repeated. */
const PAUSE: Milliseconds = 50

/** The most that waits in a relay, as much as a RedisClient queues. */
export const WAITING: Bytes = 16 * 1024 * 1024

/** What an entry takes beside its bytes: for Redis a script. So at most 16 000 of them wait. */
export const ENTRY: Bytes = 1024

/** Is it only that the server is away? */
export function isAway(error: unknown): boolean {
  return error instanceof RelayError && error.code === 'ERR_RELAY_UNAVAILABLE'
}

export class RelayLine {
  state: 'opening' | 'standing' | 'away' | 'closed' = 'opening'
  readonly #engine: Engine
  readonly #server: string
  readonly #stood: (isAgain: boolean) => void
  #stands = newStands()
  /** Why the last connection ended, or could not be made. */
  #last: Error | undefined
  /** Why it cannot be used, if it was not closed by the program. */
  #fault: Error | undefined
  /** What waits for the first connection. */
  #waiting: Bytes = 0

  /**
   * `server`: what it is called in the log. `stood` is called each time that it stands; `isAgain`
   * if it was away.
   */
  constructor(engine: Engine, server: string, stood: (isAgain: boolean) => void = noop) {
    this.#engine = engine
    this.#server = server
    this.#stood = stood
  }

  /** What an error of the client is to a relay. That of a relay stays what it is. */
  shown(error: unknown): Error {
    return error as Error
  }

  // ---- what its client reports ------------------------------------------------------------------

  /** It stands, unless it was closed meanwhile. */
  arrived(): void {
    if (this.state === 'closed') return
    const isAgain = this.state === 'away'
    this.state = 'standing'
    this.#fault = this.#last = undefined
    this.#stands.resolve()
    this.#stood(isAgain)
  }

  /** A connection has ended, or could not be made. Another attempt may come. */
  failed(error: Error): void {
    this.#last = error
    this.tell(error)
  }

  /** It was standing, and is away. */
  lost(): void {
    this.state = 'away'
    this.#stands = newStands()
  }

  /** It does not stand, and will not by itself. */
  refused(error: Error): void {
    if (this.state === 'closed') return
    this.#fault = error
    this.#stands.reject(error)
  }

  /** Its client has closed. */
  over(): void {
    this.state = 'closed'
    this.#stands.reject(this.fate)
  }

  /** The program closes it, whatever was before. */
  shut(): void {
    this.#fault = this.#last = undefined
    this.over()
  }

  /** Why a call is of no use any more: what the server refused, or that it is closed. */
  get fate(): Error {
    const fault = this.#fault ?? this.#last
    return isRefused(fault) ? fault : closedError(fault)
  }

  // ---- for a relay ------------------------------------------------------------------------------

  /** Resolves when it stands. Rejects if it never will. */
  get stands(): Promise<void> {
    return this.#stands.promise
  }

  /** Logs what nobody awaits. */
  tell(error: Error): void {
    logSafely(this.#engine, `a relay by ${this.#server}: ${messageOf(error)}`, error)
  }

  /** An entry of this size is going to wait for the first connection. Throws if too much waits. */
  checkWaiting(size: Bytes): void {
    const all = this.#waiting + size + ENTRY
    if (all > WAITING) throw fullError()
    this.#waiting = all
  }

  /** Throws RelayError if it is closed, or if the server has refused it for good. */
  checkOpen(): void {
    if (this.state === 'closed') throw this.fate
  }

  /** Throws RelayError if the server has refused it: nothing can ever be sent. */
  checkRefused(): void {
    if (isRefused(this.#fault)) throw this.#fault
  }

  /** Does it, if the line stands. Rejects with RelayError. */
  async attempt<Value>(work: () => Promise<Value>): Promise<Value> {
    this.checkOpen()
    if (this.state !== 'standing') throw awayError()
    try {
      return await work()
    } catch (error) {
      throw this.shown(error)
    }
  }

  /**
   * Does it as often as it takes while the server is only away, for `patience` at the longest. It
   * is for what may run twice.
   */
  async persist<Value>(work: () => Promise<Value>, patience = Infinity): Promise<Value> {
    if (this.state === 'opening') await this.stands
    const end = this.#engine.now + patience
    for (;;) {
      if (this.state === 'away') await this.#standsBy(end)
      try {
        return await this.attempt(work)
      } catch (error) {
        if (!isAway(error) || this.#engine.now >= end) throw error
        // It is not known to be away yet, or it is not ready.
        if (!(await pause(this.#engine[DRIVE], PAUSE))) throw error
      }
    }
  }

  #standsBy(end: Milliseconds): Promise<void> {
    if (end === Infinity) return this.stands
    return new Promise((resolve, reject) => {
      const wait = Math.max(1, end - this.#engine.now)
      const cancel = this.#engine[DRIVE].after(wait, () => reject(awayError()))
      this.stands.then(resolve, reject).finally(cancel)
    })
  }
}

function awayError(): RelayError {
  return new RelayError('ERR_RELAY_UNAVAILABLE', 'the server is away')
}

/** Too much waits already. */
export function fullError(): RelayError {
  const why = `the server is away, or slow: more than ${WAITING} bytes would wait for it`
  return new RelayError('ERR_RELAY_UNAVAILABLE', why)
}

function newStands(): Deferred<void> {
  const stands = deferred<void>()
  quiet(stands.promise)
  return stands
}
