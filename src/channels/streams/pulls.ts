/**
 * Layer 5. Pulls: the reads that the program awaits of one stream (`read()`, `for await`). The
 * promise of on_connect is here, too: what it waits for may be one of these reads.
 *
 * The way of a read: read → ReadPath.ask → bytes → Pull.taken → the promise of the program
 *
 * Rules:
 * 1. A read that is not awaited goes to on_read, but in a later turn: a program that awaits one
 *    read after the other has called again by then.
 * 2. If the stream has no on_read of its own, it waits for the next read(), or for an on_read that
 *    is assigned, so nothing is lost between two reads. When the peer has ended, it waits for
 *    end_timeout at the longest.
 * 3. A promise that the program does not look at never becomes an unhandled rejection.
 */

import { deferred } from '../../core/deferred.ts'
import { type ReadDelimiter, readerFor } from '../../core/delimiters.ts'
import { noop } from '../../core/noop.ts'
import { Promises } from '../../core/promises.ts'
import type { ReadPath, ReadTarget } from '../../core/read-path.ts'
import type { AwaitedRead } from '../../core/reading/awaited.ts'
import { readSettings } from '../../core/reading/read-settings.ts'
import { ReaderChoice } from '../../core/reading/reader-choice.ts'
import type { Reader } from '../../core/reading/readers.ts'
import type { Turn } from '../../core/time/turns.ts'
import { codeOf, messageOf, ReadError, TimeoutError } from '../../errors.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'
import type { Life } from '../life.ts'
import { receiveOverflow } from '../overflow.ts'
import { HeldWatch, type HeldOwner } from './held-watch.ts'
import type { StreamValues } from './stream-settings.ts'

/** The way in of the stream. */
export interface PullsOwner extends HeldOwner {
  readonly values: StreamValues
  /** Undefined while nothing is held or left to be read. */
  readonly path: ReadPath | undefined
  /** Do the reads go to another method than on_read? */
  readonly isSucceeded: boolean
  ask(read: AwaitedRead): void
  hold(why: 'introduction'): void
  release(why: 'awaited' | 'introduction'): void
}

export class Pulls implements Turn {
  readonly #owner: PullsOwner
  /** Tells which hook holds reads for long. */
  readonly held: HeldWatch
  /** What on_connect returned, if it is a promise; if it threw, a promise that rejects. */
  greeting: PromiseLike<unknown> | undefined
  /** Likewise, if it holds reads. */
  introduction: Promises | undefined
  /** How many requests wait for their answers; see `Requests`. */
  #requests = 0
  /** Do some wait, and was one of them sent since on_connect was called? */
  #isAsking = false
  /** The readers of delimiters that were given with a read. */
  #choice: ReaderChoice | undefined
  /** The on_read of a stream that has none of its own. */
  #defaultOnRead: unknown
  /** How many `for await` loops have begun and not ended. */
  #loops = 0
  #isAwake = false
  /** Was a read told that the peer has ended, or was there no read for end_timeout since? */
  #isOver = false
  #stopWaiting: Cancel = noop

  constructor(owner: PullsOwner) {
    this.#owner = owner
    this.held = new HeldWatch(owner)
  }

  get life(): Life {
    return this.#owner.life
  }

  // ---- on_connect -------------------------------------------------------------------------------

  /** on_connect has returned a promise. */
  introduce(result: PromiseLike<unknown>): void {
    this.introduction = new Promises(this.life, () => this.#owner.release('introduction'))
    void this.introduction.add(result, 'on_connect')
    this.#holdIntroduction()
  }

  /** A request was sent (1), or has its answer (-1). */
  asked(by: 1 | -1): void {
    // One that was left when its opening ended may be given up in the next one.
    this.#requests = Math.max(0, this.#requests + by)
    if (this.#requests === 0) this.#isAsking = false
    else if (by === 1 && this.life.state === 'active') this.#isAsking = true
    if (this.introduction?.areAny === true) this.#holdIntroduction()
  }

  /** The promise of on_connect holds reads, but not if it may be what awaits an answer. */
  #holdIntroduction(): void {
    if (this.#isAsking) this.wake()
    else if (this.life.state === 'active') this.#owner.hold('introduction')
  }

  // ---- reading ----------------------------------------------------------------------------------

  read(
    reader: Reader | undefined,
    timeout: Milliseconds,
    signal: AbortSignal | undefined,
    defaultOnRead: unknown,
  ): Promise<unknown> {
    const { life } = this
    this.#defaultOnRead = defaultOnRead
    const pull = new Pull(this, reader)
    this.#stopWaiting()
    if (life.state !== 'opening' && life.state !== 'active') pull.fail(this.#ended())
    else {
      pull.limit(timeout, signal)
      if (!pull.isOver) this.#owner.ask(pull)
    }
    return pull.promise
  }

  /** The reader of a delimiter that was given with a read. */
  readerFor(delimiter: ReadDelimiter): Reader {
    const { encoding, regex_search } = this.#owner.values
    const settings = readSettings(encoding, regex_search)
    // It delivers once.
    if (delimiter === 0) return readerFor(delimiter, settings)
    if (this.#choice === undefined) this.#choice = new ReaderChoice(delimiter, settings)
    return this.#choice.choose(delimiter, settings)
  }

  /** Why what is awaited will not come. */
  #ended(): Error {
    const { life } = this
    const reason = life.reason ?? 'error'
    return life.error ?? life.endedError(`closed (${reason}), so there is no more to read`, reason)
  }

  /** A read has been served, or is not awaited any more. */
  settled(pull: Pull, isEnd = false): void {
    this.#owner.path?.awaited?.remove(pull)
    if (isEnd) this.#isOver = true
    this.wake()
  }

  // ---- loops ------------------------------------------------------------------------------------

  /** A `for await` loop begins (1) or ends (-1). Between its reads, nothing goes to on_read. */
  loop(by: 1 | -1): void {
    this.#loops += by
    if (this.#loops === 0) this.wake()
  }

  // ---- what is not awaited ----------------------------------------------------------------------

  /** The program may have stopped awaiting, or the peer has ended: looks in the next turn. */
  wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    this.life.drive.wake(this)
  }

  turn(): void {
    this.#isAwake = false
    if (this.#isAsking) this.#owner.release('introduction')
    const { path } = this.#owner
    if (path === undefined || path.isAwaited || this.#loops > 0) return
    const isEnd = path.isEndAwaited
    if (this.#isOver || this.#hasOnRead() || (isEnd && path.unread() === 0))
      this.#owner.release('awaited')
    else if (isEnd) this.#waitForEnd()
  }

  #hasOnRead(): boolean {
    const { on_read } = this.life.channel as unknown as ReadTarget
    return this.#owner.isSucceeded || on_read !== this.#defaultOnRead
  }

  /** The peer has ended, and something is left that is not read. */
  #waitForEnd(): void {
    const { end_timeout } = this.#owner.values
    if (end_timeout === Infinity) return
    this.#stopWaiting()
    this.#stopWaiting = this.life.drive.after(end_timeout, () => {
      this.#isOver = true
      this.turn()
    })
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** The stream closes: what is awaited will not come. */
  stop(): void {
    this.held.stop()
    this.#stopWaiting()
    const pulls = (this.#owner.path?.awaited?.removeAll() ?? []) as Pull[]
    if (pulls.length === 0) return
    const error = this.#ended()
    for (const pull of pulls) pull.fail(error)
  }

  /** The opening is over. */
  reset(): void {
    this.introduction?.abandon()
    this.introduction = undefined
    this.#requests = 0
    this.#isAsking = false
    this.#choice = undefined
    this.#loops = 0
    this.#isOver = false
  }
}

/** One read that is awaited, and the promise of the program. */
class Pull implements AwaitedRead {
  readonly reader: Reader | undefined
  readonly #pulls: Pulls
  readonly #answer = deferred<unknown>()
  #cancelTimeout: Cancel = noop
  #signal: AbortSignal | undefined
  isOver = false

  constructor(pulls: Pulls, reader: Reader | undefined) {
    this.#pulls = pulls
    this.reader = reader
    this.promise.catch(noop)
  }

  get promise(): Promise<unknown> {
    return this.#answer.promise
  }

  /** It is not awaited longer than that. */
  limit(timeout: Milliseconds, signal: AbortSignal | undefined): void {
    if (signal?.aborted) return this.#abort()
    if (signal !== undefined) {
      this.#signal = signal
      signal.addEventListener('abort', this.#abort, { once: true })
    }
    if (timeout === Infinity) return
    this.#cancelTimeout = this.#pulls.life.drive.after(timeout, () =>
      this.fail(new TimeoutError('read', 'timeout', timeout, 'read() took longer than')),
    )
  }

  readonly #abort = (): void =>
    this.fail(
      new ReadError('ERR_ABORTED', 'read() was aborted by its signal', this.#signal?.reason),
    )

  taken(data: unknown, isSpread: boolean): void {
    this.#settle()
    const values = data as unknown[]
    this.#answer.resolve(isSpread && values.length === 1 ? values[0] : data)
  }

  overflowed(limit: Bytes, size: Bytes | undefined): void {
    this.fail(receiveOverflow(limit, size, 'a read'))
  }

  broken(error: unknown): void {
    const code = codeOf(error) || 'ERR_INVALID_DELIMITER'
    this.fail(new ReadError(code, messageOf(error), error))
  }

  ended(): void {
    const text = 'the peer has ended its side, so there is no more to read'
    this.fail(this.#pulls.life.endedError(text, 'remote'), true)
  }

  fail(error: Error, isEnd = false): void {
    this.#settle(isEnd)
    this.#answer.reject(error)
  }

  #settle(isEnd = false): void {
    this.isOver = true
    this.#cancelTimeout()
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#pulls.settled(this, isEnd)
  }
}
