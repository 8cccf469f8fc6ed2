/**
 * Layer 8. Receiving with promises: `await channel.recv()` and
 * `for await (const message of channel)`.
 *
 * Both add callbacks that return a promise, so the channel delivers its next message when the
 * program asks for it. Some channels cannot wait, because their messages arrive inside a `post`
 * (direct, echo). Their messages are kept in a bounded queue.
 */

import { noop } from '../core/noop.ts'
import { ClosedError, InvalidArgumentError, OverflowError, TimeoutError } from '../errors.ts'
import { DRIVE, type Engine } from '../engine.ts'
import type { Milliseconds } from '../types.ts'
import type { Callback, Mask } from './callbacks.ts'
import { type Message, STATES } from './message.ts'

/** The part of a channel that is used here. */
interface Source {
  readonly engine: Engine
  readonly name: string
  readonly state: string
  /** The error that the channel failed with. */
  readonly error: Error | undefined
  callback_add(callback: Callback, mask: Mask): void
  callback_del(callback: Callback): void
}

/**
 * The most messages in the queue of one loop. Beyond it the loop fails: it is too slow for a
 * channel that cannot wait. 16 384 small messages are a few megabytes.
 */
const LIMIT = 16_384

/** Options of `recv`. */
export interface RecvOptions {
  /**
   * The types of messages to wait for.
   * @default 'data'
   */
  readonly type?: Mask
  /**
   * The longest time to wait, in milliseconds.
   * @default Infinity
   */
  readonly timeout?: Milliseconds
}

/** Waits for the next message, see `MessageChannel.recv`. */
export function receive(channel: Source, options: RecvOptions): Promise<Message> {
  return new Promise((resolve, reject) => {
    const { type, timeout } = checked(options)
    const done = (settle: () => void): void => {
      cancel()
      channel.callback_del(wanted)
      channel.callback_del(ended)
      settle()
    }
    const wanted = (message: Message): Promise<void> => {
      done(() => resolve(message))
      // The program that awaits this message can ask for the next one before that is delivered.
      return new Promise(go => channel.engine[DRIVE].wake({ turn: go }))
    }
    const ended = ({ msgid }: Message): void => {
      const error = endOf(channel, STATES[msgid])
      if (error !== undefined) done(() => reject(error))
    }
    // This throws for an invalid type, so it comes first: nothing is left behind then.
    channel.callback_add(wanted, type)
    channel.callback_add(ended, 'state')
    const expire = (): void => done(() => reject(late(channel, timeout)))
    const cancel = timeout === Infinity ? noop : channel.engine.defer(timeout, expire)
    const over = endOf(channel, channel.state)
    if (over !== undefined) done(() => reject(over))
  })
}

/** The options with their defaults. Throws InvalidArgumentError. */
function checked(options: RecvOptions): Required<RecvOptions> {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError(
      'recv',
      "an object like { type: 'control', timeout: 500 }",
      options,
    )
  const { type = 'data', timeout = Infinity } = options
  if (typeof timeout !== 'number' || !(timeout > 0))
    throw new InvalidArgumentError('recv: timeout', 'a positive number of milliseconds', timeout)
  return { type, timeout }
}

function late(channel: Source, timeout: Milliseconds): TimeoutError {
  return new TimeoutError('read', 'timeout', timeout, `${channel.name}: no message came within its`)
}

/** The reason why nothing is received in that state; undefined if the channel may receive. */
function endOf({ name, error }: Source, state: string | undefined): Error | undefined {
  return state === 'error'
    ? error
    : state === 'closed'
      ? new ClosedError(`${name} is closed: nothing is received`)
      : undefined
}

/** All data from now on, see `MessageChannel[Symbol.asyncIterator]`. */
export function iterate(channel: Source): AsyncIterableIterator<Message> {
  return new Inbox(channel)
}

class Inbox implements AsyncIterableIterator<Message> {
  readonly #channel: Source
  readonly #queue: Message[] = []
  /** Set while the loop waits for the next message. */
  #waiting:
    { resolve(result: IteratorResult<Message>): void; reject(error: unknown): void } | undefined
  /** The channel waits for this promise until the loop has taken what is in the queue. */
  #gate: Promise<void> | undefined
  #open: () => void = noop
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

  /** Called when the program leaves the loop. */
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
          `${this.#channel.name}: more than ${LIMIT} messages wait for a loop that is too slow`,
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
