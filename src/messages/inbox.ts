/**
 * Layer 8. Messages for people who prefer promises: `await channel.recv()`,
 * `for await (const message of channel)`.
 *
 * A callback of theirs returns a promise, so the channel waits with its next message until this one
 * is wanted. Channels that cannot wait (direct, echo: a message comes inside a `post`) are kept in
 * a queue, which is bounded.
 */

import { ClosedError, InvalidArgumentError, OverflowError, TimeoutError } from '../errors.ts'
import { type Engine, wake } from '../engine.ts'
import type { Milliseconds } from '../types.ts'
import type { Listener, Mask } from './listeners.ts'
import { type Message, STATES } from './message.ts'

/** What is needed of a channel. */
interface Source {
  readonly engine: Engine
  readonly name: string
  readonly state: string
  /** Why it has failed. */
  readonly error: Error | undefined
  callback_add(callback: Listener, mask: Mask): void
  callback_del(callback: Listener): void
}

/** Messages that wait for a loop; beyond that it is too slow for a channel that cannot wait. */
const LIMIT = 16_384

/** How to wait for one message. */
export interface RecvOptions {
  /** Of which types. Default 'data'. */
  readonly type?: Mask
  /** The longest to wait; default Infinity. */
  readonly timeout?: Milliseconds
}

/** The next message. */
export function receive(channel: Source, options: RecvOptions): Promise<Message> {
  return new Promise((resolve, reject) => {
    if (typeof options !== 'object' || options === null)
      throw new InvalidArgumentError(
        'recv',
        "an object, as { type: 'control', timeout: 500 }",
        options,
      )
    const { type = 'data', timeout = Infinity } = options
    if (typeof timeout !== 'number' || !(timeout > 0))
      throw new InvalidArgumentError('recv: timeout', 'a positive number of milliseconds', timeout)
    const done = (settle: () => void): void => {
      cancel()
      channel.callback_del(wanted)
      channel.callback_del(ended)
      settle()
    }
    const wanted = (message: Message): Promise<void> => {
      done(() => resolve(message))
      // Who has awaited this one can ask for the next before it comes.
      return new Promise(go => wake(channel.engine, { turn: go }))
    }
    const ended = ({ msgid }: Message): void => {
      const error = endOf(channel, STATES[msgid])
      if (error !== undefined) done(() => reject(error))
    }
    // The first thing that is done: it throws for a type that is none, and nothing is left behind.
    channel.callback_add(wanted, type)
    channel.callback_add(ended, 'state')
    const cancel =
      timeout === Infinity
        ? () => {}
        : channel.engine.defer(timeout, () => done(() => reject(late(channel, timeout))))
    const over = endOf(channel, channel.state)
    if (over !== undefined) done(() => reject(over))
  })
}

function late(channel: Source, timeout: Milliseconds): TimeoutError {
  return new TimeoutError('read', 'timeout', timeout, `${channel.name}: no message came within its`)
}

/** Why nothing is received in that state; undefined where something is. */
function endOf({ name, error }: Source, state: string | undefined): Error | undefined {
  return state === 'error'
    ? error
    : state === 'closed'
      ? new ClosedError(`${name} is closed: nothing is received`)
      : undefined
}

/** All data from now on. */
export function iterate(channel: Source): AsyncIterableIterator<Message> {
  return new Inbox(channel)
}

class Inbox implements AsyncIterableIterator<Message> {
  readonly #channel: Source
  readonly #queue: Message[] = []
  /** Where a loop waits for the next one. */
  #waiting:
    { resolve(result: IteratorResult<Message>): void; reject(error: unknown): void } | undefined
  /** Until the loop has come back for what is in the queue the channel waits. */
  #gate: Promise<void> | undefined
  #open = (): void => {}
  #end: 'open' | 'closed' | Error = 'open'

  constructor(channel: Source) {
    this.#channel = channel
    if (channel.state === 'closed') this.#end = 'closed'
    else if (channel.state === 'error') this.#end = channel.error as Error
    if (this.#end !== 'open') return
    channel.callback_add(this.#received, 'data')
    channel.callback_add(this.#changed, 'state')
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Message>> {
    const message = this.#queue.shift()
    if (this.#queue.length === 0) this.#release()
    if (message !== undefined) return Promise.resolve({ done: false, value: message })
    if (this.#end === 'closed') return Promise.resolve({ done: true, value: undefined })
    if (this.#end !== 'open') return Promise.reject(this.#end)
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }))
  }

  /** The loop was left. */
  return(): Promise<IteratorResult<Message>> {
    this.#finish('closed')
    this.#queue.length = 0
    this.#release()
    return Promise.resolve({ done: true, value: undefined })
  }

  readonly #received = (message: Message): Promise<void> => {
    if (this.#waiting !== undefined) {
      this.#waiting.resolve({ done: false, value: message })
      this.#waiting = undefined
    } else if (this.#queue.push(message) > LIMIT) {
      this.#finish(
        new OverflowError(
          'receive',
          LIMIT,
          `${this.#channel.name}: ${LIMIT} messages wait for a loop that does not take them`,
        ),
      )
    }
    this.#gate ??= new Promise(open => (this.#open = open))
    return this.#gate
  }

  #release(): void {
    this.#gate = undefined
    this.#open()
  }

  readonly #changed = ({ msgid }: Message): void => {
    const state = STATES[msgid]
    if (state === 'closed') this.#finish('closed')
    if (state === 'error') this.#finish(this.#channel.error as Error)
  }

  #finish(end: 'closed' | Error): void {
    if (this.#end !== 'open') return
    this.#end = end
    this.#channel.callback_del(this.#received)
    this.#channel.callback_del(this.#changed)
    const waiting = this.#waiting
    this.#waiting = undefined
    if (end === 'closed') waiting?.resolve({ done: true, value: undefined })
    else waiting?.reject(end)
  }
}
