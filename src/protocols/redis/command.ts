/**
 * Layer 7. Command: one command on its way, and who waits for its reply.
 *
 * Rules:
 * 1. A command keeps its place until its reply comes, even if it has timed out. Its late reply is
 *    dropped, and is not taken for that of the next command.
 * 2. No promise becomes an unhandled rejection.
 * 3. It outlives the connection: one that may run twice is sent again on the next one. (This is why
 *    Requests of channels/ is not used here: its requests end with their connection.)
 */

import { noop } from '../../core/noop.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { about, RedisError } from './errors.ts'
import type { Word } from './pack.ts'
import type { Reply } from './reply.ts'

/** A word of a command as a program gives it. Numbers are sent as text. */
export type Argument = string | number | bigint | Uint8Array

/** How a command is sent, and how its reply is shown. */
export interface CommandOptions {
  /**
   * How long the reply may take. Then the promise rejects (ERR_TIMEOUT), though the command may
   * have run. The time that it waits for a connection counts.
   *
   * - Unit: milliseconds. `Infinity`: as long as the connection lasts.
   *
   * @default that of the client, which is Infinity
   */
  readonly timeout?: Milliseconds | undefined
  /**
   * How strings of the reply are delivered: as text, or with `null` as Buffers.
   *
   * @default 'utf8'
   */
  readonly encoding?: 'utf8' | null | undefined
}

export class Command {
  readonly words: readonly Word[]
  /** The first word, in upper case. */
  readonly name: string
  readonly encoding: 'utf8' | null
  readonly promise: Promise<Reply>
  #resolve!: (reply: Reply) => void
  #reject!: (error: Error) => void
  #cancel: Cancel = noop
  /** How often it was sent. */
  sends = 0
  /** Is it a part of a transaction? Then it never runs without the others. */
  readonly isPart: boolean
  /** Does it wait on the server? Then it has a connection of its own. */
  isBlocking = false
  /** Has it been told its reply, or that there will be none? */
  isSettled = false

  /** Throws InvalidArgumentError for words that are none. */
  constructor(words: Argument[], encoding: 'utf8' | null = 'utf8', isPart = false) {
    this.words = checkWords(words)
    this.isPart = isPart
    this.name = String(words[0]).toUpperCase()
    this.encoding = encoding
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Gives it that long. `expired` is called after it was rejected. */
  limit(engine: Engine, timeout: Milliseconds, expired: () => void = noop): void {
    this.#cancel = engine[DRIVE].after(timeout, () => {
      this.fail(new RedisError('ERR_TIMEOUT', `no reply came within ${timeout} ms`))
      expired()
    })
  }

  /** The reply has come. */
  settle(reply: Reply): void {
    if (reply instanceof RedisError) return this.fail(reply)
    this.isSettled = true
    this.#cancel()
    this.#resolve(reply)
  }

  /** There will be no reply, or it is an error. */
  fail(error: RedisError): void {
    if (this.isSettled) return
    this.isSettled = true
    this.#cancel()
    // Before it rejects, so that the process never sees a rejection without a handler.
    this.promise.catch(noop)
    this.#reject(about(error, this.name))
  }

  /** There will be no reply, for a reason that others share. */
  lose({ code, message, cause }: RedisError): void {
    if (!this.isSettled) this.fail(new RedisError(code, message, this.name, cause))
  }
}

/** Numbers become text, in place. */
function checkWords(words: Argument[]): Word[] {
  if (words.length === 0)
    throw new InvalidArgumentError('call: its first argument', 'a command', undefined)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    if (typeof word === 'string' || word instanceof Uint8Array) continue
    if (!isArgument(word)) throw noArgument(`${String(words[0]).slice(0, 40)}: argument ${i}`, word)
    words[i] = String(word)
  }
  return words as Word[]
}

/** Throws InvalidArgumentError unless it can be a word. */
export function checkArgument(name: string, value: unknown): Argument {
  if (isArgument(value)) return value
  throw noArgument(name, value)
}

function isArgument(value: unknown): value is Argument {
  const type = typeof value
  const isText = type === 'string' || type === 'number' || type === 'bigint'
  return isText || value instanceof Uint8Array
}

function noArgument(name: string, value: unknown): InvalidArgumentError {
  const wanted = 'a string, a number, a bigint or a Uint8Array'
  return new InvalidArgumentError(name, wanted, value)
}
