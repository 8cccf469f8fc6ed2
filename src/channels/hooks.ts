/**
 * Layer 4. Hooks: how the hooks of one channel are called, and what it logs.
 *
 * What a hook throws goes to on_error, what on_error throws goes to the log, and what a hook
 * returns goes to the driver, which holds the reads if it is a promise.
 *
 * Rules:
 * 1. Nothing that a hook does ends the process or disturbs another channel.
 * 2. What closes the channel while an error is being told closes it for that error's reason
 *    (`fault`).
 */

import { Buffer } from 'node:buffer'
import type { Owned } from '../core/drive.ts'
import { noop } from '../core/noop.ts'
import { isPromiseLike, type PromisesOwner } from '../core/promises.ts'
import type { Gauge } from '../core/tally.ts'
import { type Engine, logSafely } from '../engine.ts'
import {
  asError,
  ClosedError,
  codeOf,
  InvalidArgumentError,
  messageOf,
  stackOf,
} from '../errors.ts'
import type { CloseReason, StateSignal } from '../types.ts'

/** What is needed of a channel to call its hooks. */
export interface Face {
  readonly name: string
  close(flush?: boolean): void
  on_error(error: Error): unknown
}

/** What a kind of channel does when its life asks. */
export interface Driver {
  /** Suspended by itself ('own'), or with a channel above it; 'own' may follow 'above'. */
  suspended(suspension: 'above' | 'own'): void
  resumed(): void
  /** A hook returned something that is not undefined. */
  hookReturned(result: unknown, hook: Hook): void
  /** Closes it because of an error, in its own way. Default: at once. */
  closeAfter?(error: Error): void
  /** One of the channels below it has closed; its on_close has been called. */
  childClosed?(child: Owned): void
  /** Where it is connected or listening, for messages; '' if it is not. */
  address(): string
  /** For `engine.stats()` and the event 'close'; called when it has closed, too. */
  gauge(): Gauge
  /** Called with each new state, before on_state (which a program may override). */
  stateChanged?(state: StateSignal): void
  /**
   * Does it stay below its parent when it has closed, to be opened again? Then only `destroy` ends
   * it. Default: no.
   */
  readonly outlivesClosing?: boolean
}

/** The names of hooks. */
export type Hook = `on_${string}`

type Callable = { [Name in Hook]: (...args: unknown[]) => unknown }

/** What hooks threw. */
const faults = new WeakSet<Error>()

const EMPTY = Buffer.alloc(0)

/** The errors that only say that a channel has ended, with its hooks. */
const ends = new WeakMap<object, Hooks<any>>()

export class Hooks<Of extends Face = Face> implements PromisesOwner {
  readonly channel: Of
  readonly engine: Engine
  /** The name of the channel, unless a field of its class is in front of it. */
  name: string
  /** The kind of channel that this is; set once, when the channel is made. */
  driver: Driver | undefined
  /** The reason of whatever closes the channel now; set while an error is being told. */
  fault: CloseReason | undefined

  constructor(channel: Of, engine: Engine, name: string) {
    this.channel = channel
    this.engine = engine
    this.name = name
  }

  /** Returns what the hook returned. If it threw: a promise that rejects and is never unhandled. */
  call(hook: Hook, ...args: unknown[]): unknown {
    try {
      const result = (this.channel as unknown as Callable)[hook]!(...args)
      if (result !== undefined) this.driver?.hookReturned(result, hook)
      return result
    } catch (error) {
      this.hookFailed(error, hook)
      const thrown = Promise.reject(error as Error)
      thrown.catch(noop)
      return thrown
    }
  }

  /** Likewise; what closes the channel in there closes it for that reason. */
  callBlaming(reason: CloseReason, hook: Hook, ...args: unknown[]): void {
    const before = this.blame(reason)
    this.call(hook, ...args)
    this.fault = before
  }

  /** A hook threw. `hook`: its name, if it may be no function. */
  hookFailed(thrown: unknown, hook?: Hook): void {
    const called: unknown = hook && (this.channel as unknown as Callable)[hook]
    const isHook = hook === undefined || typeof called === 'function'
    const error = isHook ? asError(thrown) : new InvalidArgumentError(hook, 'a function', called)
    faults.add(error)
    this.report(error)
  }

  /** Calls on_error. What it does about the channel is because of that error. */
  report(error: Error): void {
    const before = this.blame('error')
    if (error instanceof OnErrorFailed) this.#onErrorFailed(error, error)
    else this.#tellOnError(error)
    this.fault = before
  }

  #tellOnError(error: Error): void {
    try {
      const result = this.channel.on_error(error)
      if (!isPromiseLike(result)) return
      // If it rejects, on_error must not be called with its own rejection: that would never end.
      const told = Promise.resolve(result).catch(second => {
        throw new OnErrorFailed(second, error)
      })
      this.driver?.hookReturned(told, 'on_error')
    } catch (second) {
      this.#onErrorFailed(new OnErrorFailed(second, error), error)
    }
  }

  /** No hook is left that could be told: it is logged, and the channel closes after `error`. */
  #onErrorFailed({ message, cause }: OnErrorFailed, error: Error): void {
    this.say(message + placeOf(cause), cause)
    this.closeAfter(error)
  }

  /** A promise that a hook returned was rejected; `isLate`: the opening that it is from is over. */
  promiseRejected(error: unknown, isLate: boolean): void {
    // It awaited more of a channel that has ended, which on_close tells.
    if (ends.get(error as object) === this) return
    // What is left of an opening that is over must not close the next one.
    if (isLate) this.log(error)
    else this.hookFailed(error)
  }

  /** For what was awaited of the channel, and will not come, as it has ended. */
  endedError(what: string, reason: CloseReason): ClosedError {
    return this.ended(new ClosedError(`${this.describe()}: ${what}`, reason))
  }

  /** An error that says no more than that: a hook that rejects with it has not failed. */
  ended<Told extends Error>(error: Told): Told {
    ends.set(error, this)
    return error
  }

  /** What `on_error` does by default, after logging. */
  closeAfter(error: Error): void {
    if (this.driver?.closeAfter === undefined) this.channel.close()
    else this.driver.closeAfter(error)
  }

  /** What closes it from now on closes it for that reason. Returns what was to blame before. */
  blame(reason: CloseReason): CloseReason | undefined {
    const before = this.fault
    this.fault = reason
    return before
  }

  // ---- the log ----------------------------------------------------------------------------------

  /** What messages call it: its name, and where it is connected or listening. */
  describe(): string {
    const address = this.driver?.address() ?? ''
    const { name } = this.channel
    return address === '' ? name : `${name} ${address}`
  }

  /**
   * Logs one line: channel, what happened, code. What a hook threw is a bug in the program, so it
   * comes with its stack, also if it is an error of sluice: where it was is what one needs.
   */
  log(thrown: unknown): void {
    const error = asError(thrown)
    const code = codeOf(error)
    const place = faults.has(error) ? placeOf(error) : ''
    if (code === '')
      this.say(
        (stackOf(error) || `Error: ${error.message}`) + hintOf(error, this.channel as object),
        error,
      )
    else if (error.message.includes(code)) this.say(error.message + place, error)
    else this.say(`${error.message} (${code})${place}`, error)
  }

  /** Logs what the program's own code threw. */
  logFault(thrown: unknown): void {
    const error = asError(thrown)
    faults.add(error)
    this.log(error)
  }

  /** Logs one line about this channel. */
  say(text: string, error?: unknown): void {
    logSafely(this.engine, `${this.describe()}: ${text}`, error)
  }
}

/**
 * TypeScript cannot tell a hook that takes text from one that takes bytes. (No private method: it
 * would be 8 bytes more of every channel.)
 */
function hintOf(error: Error, { encoding }: { readonly encoding?: unknown }): string {
  const [, method] = /\.(\w+) is not a function$/.exec(error.message) ?? []
  const isOfText = method !== undefined && method in String.prototype && !(method in EMPTY)
  if (!isOfText || encoding !== null || !faults.has(error)) return ''
  return `\n    (on_read gets a Buffer, which has no ${method}: set \`encoding\` to get text)`
}

/** The stack of an error without its message, each call in a line of its own. */
function placeOf(error: unknown): string {
  const stack = stackOf(error)
  const at = stack.indexOf('\n    at ')
  return at === -1 ? '' : stack.slice(at)
}

/** An error of on_error itself: it can only be logged. */
class OnErrorFailed extends Error {
  constructor(second: unknown, first: Error) {
    super(`on_error itself threw ${messageOf(second)}, on ${first.message}`, { cause: second })
  }
}
