/**
 * Layer 5. Requests: pairs the answers of a peer with the requests that they are for.
 *
 * The way of a request: send → answer, fail, its timeout, or the end of the connection.
 *
 * Rules:
 * 1. A request keeps its place until its answer comes, even if it has timed out. Its late answer is
 *    dropped, and is not taken for that of the next request.
 * 2. A request that was not written has no place.
 * 3. No promise becomes an unhandled rejection.
 * 4. What is left when the connection closes is rejected. A request of the next opening is not
 *    touched by that.
 */

import { checkCount, checkDuration } from '../core/checks.ts'
import { type Deferred, deferred } from '../core/deferred.ts'
import { noop } from '../core/noop.ts'
import { checkOptions } from '../core/options.ts'
import { isPromiseLike } from '../core/promises.ts'
import { InvalidArgumentError, RequestError, show } from '../errors.ts'
import type { Bytes, Cancel, CloseReason, Data, Milliseconds } from '../types.ts'
import { LIFE } from './life.ts'
import { linkOf } from './streams/link-of.ts'
import { Stream } from './streams/stream.ts'

/** The options of Requests. */
export interface RequestsOptions<Answer = any, Id = any> {
  /**
   * How long an answer may take, in milliseconds, if `send` does not say.
   *
   * @default Infinity: as long as the connection is open
   */
  readonly timeout?: Milliseconds | undefined
  /**
   * How many requests may wait for their answers. Those that have timed out count, too.
   *
   * @default 10 000
   */
  readonly limit?: number | undefined
  /**
   * The hook `on_stray`: called with an answer to no request.
   *
   * @default `answer` throws a RequestError (ERR_STRAY_ANSWER)
   */
  readonly on_stray?: (answer: Answer | Error, id: Id | undefined) => unknown
}

/** The options of one request. */
export interface SendOptions<Id = any> {
  /**
   * What the answer is known by. If requests have no ids, answers come in their order.
   *
   * @default none
   */
  readonly id?: Id | undefined
  /** How long the answer may take, in milliseconds. */
  readonly timeout?: Milliseconds | undefined
}

/** A request that waits for its answer. */
interface Pending<Answer> extends Deferred<Answer> {
  /** Ends its timeout. */
  cancel: Cancel
}

/** The default of `limit`: a bound that a program in order never sees. */
const LIMIT = 10_000

/** The request of `expect`. */
const NOTHING = (): void => {}

/**
 * Pairs answers with requests: `send` writes a request and returns a promise, `answer` resolves the
 * oldest one, or the one with that id.
 *
 * A client has one as a field, and calls `answer` in its `on_read`. If it connects again, the same
 * object serves the new connection.
 *
 * @example
 * class Time extends Client {
 *   override encoding = 'utf8' as const
 *   override read_delimiter = '\n'
 *   readonly #requests = new Requests<string>(this, { timeout: 1000 })
 *   time(zone: string) {
 *     return this.#requests.send(zone + '\n')
 *   }
 *   override on_read(line: string) {
 *     this.#requests.answer(line)
 *   }
 * }
 */
export class Requests<Answer = any, Id = any> {
  readonly #channel: Stream<any>
  readonly #timeout: Milliseconds
  readonly #limit: number
  /** By their ids. A request without one has a key of its own. */
  #pending = new Map<unknown, Pending<Answer>>()
  /** `closed` of the opening that #pending is about. */
  #closed: Promise<CloseReason> | undefined

  /**
   * Calls nothing of the channel yet. Throws InvalidArgumentError (ERR_INVALID_ARGUMENT) if the
   * channel is no Client or Connection, or an option is invalid or does not exist.
   */
  constructor(channel: Stream<any>, options: RequestsOptions<Answer, Id> = {}) {
    if (!(channel instanceof Stream))
      throw new InvalidArgumentError('Requests: channel', 'a Client or a Connection', channel)
    checkOptions('Requests', options, ['timeout', 'limit', 'on_stray'])
    const { timeout = Infinity, limit = LIMIT, on_stray } = options
    this.#channel = channel
    this.#timeout = checkDuration('Requests: timeout', timeout)
    this.#limit = checkCount('Requests: limit', limit, 1)
    if (on_stray !== undefined && typeof on_stray !== 'function')
      throw new InvalidArgumentError('Requests: on_stray', 'a function', on_stray)
    if (on_stray !== undefined) this.on_stray = on_stray
  }

  /** How many requests wait for their answers, those included that have timed out. */
  get size(): number {
    return this.#pending.size
  }

  // ---- requests ---------------------------------------------------------------------------------

  /**
   * Writes a request, and returns the promise of its answer. `request` is what is written, or a
   * function that writes it: `() => this.write_packed(…)`. It must write before it returns. If it
   * returns a promise that rejects, the request is rejected, too.
   *
   * The promise rejects with what `fail` was given, or with a RequestError:
   * - ERR_TIMEOUT: its timeout ran out. The request keeps its place, and its answer is dropped.
   * - ERR_CLOSED: the connection closed, or is not open, or our side of it has ended; `reason` is
   *   that of `on_close`.
   * - ERR_OVERFLOW: `limit` requests wait already, or the write was dropped. Nothing was written.
   *
   * You need not look at the promise: it never becomes an unhandled rejection.
   *
   * Throws what writing throws, and InvalidArgumentError (ERR_INVALID_ARGUMENT) for an option that
   * is invalid, or an id that another request has.
   */
  send(request: Data | (() => unknown), options: SendOptions<Id> = {}): Promise<Answer> {
    const call = request === NOTHING ? 'expect' : 'send'
    checkOptions(call, options, ['id', 'timeout'])
    const { id, timeout = this.#timeout } = options
    checkDuration(`${call}: timeout`, timeout)
    this.#turnTo()
    if (id !== undefined && this.#pending.has(id))
      throw new InvalidArgumentError(`${call}: id`, 'that of no other request', id)
    const pending: Pending<Answer> = { ...deferred<Answer>(), cancel: noop }
    pending.promise.catch(noop)
    const refusal = this.#refusal() ?? this.#write(request, id ?? pending, pending)
    if (refusal !== undefined) pending.reject(refusal)
    else if (timeout !== Infinity) this.#limitTime(pending, timeout)
    return pending.promise
  }

  /**
   * As `send`, but nothing is written: the promise of what the peer will say by itself, because of
   * an earlier request. Call it in `on_read`, when the peer has said what to wait for: the next
   * message may have come together with that one.
   *
   * @example
   * // JOB_CREATED says the handle of the job; WORK_COMPLETE comes later, and has it as well.
   * this.#requests.answer(this.#jobs.expect({ id: handle }))
   */
  expect(options: SendOptions<Id> = {}): Promise<Answer> {
    return this.send(NOTHING, options)
  }

  /** The requests of an opening are rejected when it is over. */
  #turnTo(): void {
    const { closed, state } = this.#channel
    if (state === 'closed' || closed === this.#closed) return
    const pending = (this.#pending = new Map())
    this.#closed = closed
    void closed.then(reason => {
      for (const each of pending.values()) {
        each.cancel()
        each.reject(this.#ended(`the channel closed (${reason})`, reason))
      }
      pending.clear()
    })
  }

  #refusal(): RequestError | undefined {
    const { state } = this.#channel
    if (state !== 'active' && state !== 'opening') return this.#ended('the channel is not open')
    if (linkOf(this.#channel).ending !== 'no')
      return new RequestError('ERR_CLOSED', 'our side has ended: half_close() was called')
    if (this.#pending.size < this.#limit) return undefined
    return new RequestError(
      'ERR_OVERFLOW',
      `${this.#limit} requests wait for their answers already`,
    )
  }

  /** A hook that awaits a request of a channel that has closed has not failed. */
  #ended(message: string, reason?: CloseReason): RequestError {
    return this.#channel[LIFE].ended(new RequestError('ERR_CLOSED', message, reason))
  }

  #write(
    request: Data | (() => unknown),
    key: unknown,
    pending: Pending<Answer>,
  ): RequestError | undefined {
    const [bytes, files] = this.#written()
    this.#add(key, pending)
    let result: unknown
    try {
      result = typeof request === 'function' ? request() : this.#channel.write(request)
    } catch (error) {
      this.#remove(key)
      throw error
    }
    if (isPromiseLike(result)) Promise.resolve(result).catch(pending.reject)
    const [bytesNow, filesNow] = this.#written()
    if (bytesNow > bytes || filesNow > files || request === NOTHING) return undefined
    this.#remove(key)
    const hint = isPromiseLike(result) ? ': it must be before the function returns' : ''
    return new RequestError('ERR_OVERFLOW', `the request was not written${hint}`)
  }

  #add(key: unknown, pending: Pending<Answer>): void {
    this.#pending.set(key, pending)
    linkOf(this.#channel).reading.pulls.asked(1)
  }

  #remove(key: unknown): void {
    this.#pending.delete(key)
    linkOf(this.#channel).reading.pulls.asked(-1)
  }

  /** What was written so far. The bytes of a file are not known before it is sent. */
  #written(): [bytes: Bytes, files: number] {
    const { bytes_written, bytes_queued } = this.#channel
    return [bytes_written + bytes_queued, linkOf(this.#channel).writing.longItems]
  }

  #limitTime(pending: Pending<Answer>, timeout: Milliseconds): void {
    pending.cancel = this.#channel[LIFE].drive.after(timeout, () =>
      pending.reject(new RequestError('ERR_TIMEOUT', `no answer came within ${timeout} ms`)),
    )
  }

  // ---- answers ----------------------------------------------------------------------------------

  /**
   * Resolves the request with that id; without an id, the oldest one. If there is none, `on_stray`
   * gets the answer. A promise as the answer is that of `expect`, for example: the request settles
   * with it.
   *
   * The default of that hook throws RequestError (ERR_STRAY_ANSWER). Thrown in `on_read`, it goes
   * to `on_error`: a peer that answers what was not asked must not be trusted any more.
   */
  answer(answer: Answer | Promise<Answer>, id?: Id): void {
    this.#take(answer, id)?.resolve(answer)
  }

  /**
   * Rejects the request with that id; without an id, the oldest one: the peer refused it, or its
   * answer makes no sense. Likewise otherwise.
   */
  fail(error: Error, id?: Id): void {
    this.#take(error, id)?.reject(error)
  }

  #take(answer: Answer | Promise<Answer> | Error, id: Id | undefined): Pending<Answer> | undefined {
    // The first key is that of the oldest request.
    const key: unknown = id ?? this.#pending.keys().next().value
    const pending = this.#pending.get(key)
    if (pending !== undefined) {
      this.#remove(key)
      pending.cancel()
      return pending
    }
    const result: unknown = this.on_stray(answer as Answer, id)
    this.#channel[LIFE].driver?.hookReturned(result, 'on_read')
    return undefined
  }

  /**
   * Called with an answer to no request, or with the error of one: a message that the peer sends by
   * itself.
   *
   * If it returns a promise, the next read waits for it, as for that of `on_read`. By default it
   * throws RequestError (ERR_STRAY_ANSWER).
   */
  on_stray(_answer: Answer | Error, id: Id | undefined): any {
    const what = id === undefined ? 'an answer' : `an answer with the id ${show(id)}`
    throw new RequestError('ERR_STRAY_ANSWER', `${what} came that nobody has asked for`)
  }
}
