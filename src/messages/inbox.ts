/**
 * Layer 8. Receiving with promises: `await channel.recv()` and
 * `for await (const message of channel)`.
 *
 * Both add callbacks that return a promise, so the channel delivers its next message when the
 * program asks for it. Some channels cannot wait, because their messages arrive inside a `post`
 * (direct, echo). Their messages are kept in a bounded queue.
 */

import { anyValue, checkDuration, type Checks } from '../core/checks.ts'
import { type Deferred, deferred } from '../core/deferred.ts'
import { noop } from '../core/noop.ts'
import { checkOptions } from '../core/options.ts'
import { DRIVE, type Engine } from '../engine.ts'
import { ClosedError, OverflowError, TimeoutError } from '../errors.ts'
import type { Milliseconds } from '../types.ts'
import { type Callback, covers, type Mask } from './callbacks.ts'
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
  readonly type?: Mask | undefined
  /**
   * The longest time to wait, in milliseconds.
   * @default Infinity
   */
  readonly timeout?: Milliseconds | undefined
}

/** `callback_add` checks the type. */
const CHECKS: Checks<RecvOptions> = { type: anyValue, timeout: checkDuration }

/** The calls of `recv` that wait on a channel, in their order. A message is for one of them. */
const queues = new WeakMap<Source, RecvQueue>()

interface Waiting {
  readonly type: Mask
  take(message: Message): void
}

class RecvQueue {
  readonly #channel: Source
  #waiting: readonly Waiting[] = []

  constructor(channel: Source) {
    this.#channel = channel
  }

  /** Throws InvalidArgumentError for an invalid type. */
  add(waiting: Waiting): void {
    this.#channel.callback_add(this.#received, waiting.type)
    this.#waiting = [...this.#waiting, waiting]
  }

  delete(waiting: Waiting): void {
    this.#waiting = this.#waiting.filter(each => each !== waiting)
    if (this.#waiting.length === 0) this.#channel.callback_del(this.#received)
  }

  readonly #received = (message: Message): Promise<void> | undefined => {
    const first = this.#waiting.find(({ type }) => covers(type, message.type))
    if (first === undefined) return undefined
    first.take(message)
    // The program that awaits this message can ask for the next one before that is delivered.
    return new Promise(go => this.#channel.engine[DRIVE].wake({ turn: go }))
  }
}

/**
 * Waits for the next message, see `MessageChannel.recv`. `isNew`: the channel was never opened. It
 * is waited for, so that a program can begin to receive first, and misses nothing.
 */
export function receive(channel: Source, options: RecvOptions, isNew: boolean): Promise<Message> {
  return new Promise((resolve, reject) => {
    checkOptions('recv', options, CHECKS)
    const { type = 'data', timeout = Infinity } = options
    const done = (settle: () => void): void => {
      cancel()
      queue.delete(waiting)
      channel.callback_del(ended)
      settle()
    }
    const waiting: Waiting = { type, take: message => done(() => resolve(message)) }
    const ended = ({ msgid }: Message): void => {
      const error = endOf(channel, STATES[msgid])
      if (error !== undefined) done(() => reject(error))
    }
    const queue = queues.get(channel) ?? new RecvQueue(channel)
    queues.set(channel, queue)
    // This throws for an invalid type, so it comes first: nothing is left behind then.
    queue.add(waiting)
    channel.callback_add(ended, 'state')
    const expire = (): void => done(() => reject(late(channel, timeout)))
    const cancel = timeout === Infinity ? noop : channel.engine[DRIVE].after(timeout, expire)
    const over = isNew ? undefined : endOf(channel, channel.state)
    if (over !== undefined) done(() => reject(over))
  })
}

function late(channel: Source, timeout: Milliseconds): TimeoutError {
  return new TimeoutError('read', 'timeout', timeout, `${channel.name}: no message came within its`)
}

/** The reason why nothing is received in that state; undefined if the channel may receive. */
function endOf({ name, error }: Source, state: string | undefined): Error | undefined {
  return state === 'error'
    ? error
    : state === 'closed' || state === 'destroy'
      ? new ClosedError(`${name} is closed: nothing is received`)
      : undefined
}

/** All data from now on, see `MessageChannel[Symbol.asyncIterator]`. `isNew` as with `receive`. */
export function iterate(channel: Source, isNew: boolean): AsyncIterableIterator<Message> {
  return new Inbox(channel, isNew)
}

class Inbox implements AsyncIterableIterator<Message> {
  readonly #channel: Source
  readonly #queue: Message[] = []
  /** The calls of `next` that wait for a message, in their order. */
  #waiting: Deferred<IteratorResult<Message>>[] = []
  /** The channel waits for this promise until the loop has taken what is in the queue. */
  #gate: Promise<void> | undefined
  #open: () => void = noop
  #end: 'open' | 'closed' | Error = 'open'

  constructor(channel: Source, isNew: boolean) {
    this.#channel = channel
    if (channel.state === 'closed' && !isNew) this.#end = 'closed'
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
    const next = deferred<IteratorResult<Message>>()
    this.#waiting.push(next)
    return next.promise
  }

  /** Called when the program leaves the loop. */
  return(): Promise<IteratorResult<Message>> {
    this.#finish('closed')
    this.#queue.length = 0
    this.#release()
    return Promise.resolve({ done: true, value: undefined })
  }

  readonly #received = (message: Message): Promise<void> | undefined => {
    const next = this.#waiting.shift()
    if (next !== undefined) {
      next.resolve({ done: false, value: message })
      // Another one is wanted already.
      if (this.#waiting.length > 0) return undefined
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
    if (state === 'closed' || state === 'destroy') this.#finish('closed')
    if (state === 'error') this.#finish(this.#channel.error as Error)
  }

  #finish(end: 'closed' | Error): void {
    if (this.#end !== 'open') return
    this.#end = end
    this.#channel.callback_del(this.#received)
    this.#channel.callback_del(this.#changed)
    for (const each of this.#waiting.splice(0)) {
      if (end === 'closed') each.resolve({ done: true, value: undefined })
      else each.reject(end)
    }
  }
}
