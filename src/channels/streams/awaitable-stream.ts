/**
 * Layer 5. AwaitableStream: the calls of a stream that a program awaits, for code that runs
 * straight on: a login, a greeting, a loop over lines. How they work is in pulls.ts.
 */

import { checkDuration } from '../../core/checks.ts'
import { checkDelimiter, type ReadArguments, type ReadDelimiter } from '../../core/delimiters.ts'
import { noop } from '../../core/noop.ts'
import { checkOptions } from '../../core/options.ts'
import type { Reader } from '../../core/reading/readers.ts'
import { ClosedError, InvalidArgumentError } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import { LIFE } from '../life.ts'
import { linkOf } from './link-of.ts'
import { StreamHooks } from './stream-hooks.ts'
import { notConnected, protocolOnly } from './stream-misuse.ts'

/** How long a read is awaited. */
export interface ReadOptions {
  /**
   * The longest that it may take. After it `read` rejects with a TimeoutError (code ERR_TIMEOUT).
   * The bytes stay for the next read.
   *
   * - Unit: milliseconds.
   *
   * @default Infinity
   */
  readonly timeout?: Milliseconds | undefined
  /** Gives the read up: `read` rejects with a ReadError (code ERR_ABORTED). The bytes stay. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What `read` resolves with: what `on_read` would get. If that is several arguments, as for a
 * Struct of several fields, it is an array of them.
 */
export type Read<D extends ReadDelimiter> = ReadDelimiter extends D
  ? any
  : ReadArguments<D> extends [infer One]
    ? One
    : ReadArguments<D>

export abstract class AwaitableStream<
  By extends ReadDelimiter = ReadDelimiter,
> extends StreamHooks<By> {
  /**
   * Awaits the next read: what `on_read` would get. Without a delimiter `read_delimiter` cuts it; a
   * delimiter of its own cuts this read only.
   *
   * - It comes before `on_read`, and it is served although a hook's promise, `suspend()` or
   *   backpressure holds the other reads. So a hook may await it: `async on_connect` can log in.
   * - Several at once are served in order.
   * - A read that is not awaited goes to `on_read`, in the next turn. Without an `on_read` it waits
   *   for the next `read()`, or for an `on_read` that is assigned, also after the peer has ended
   *   (`end_timeout` at the longest). What comes before the first `read()` is dropped then: call
   *   that one as soon as the stream is open.
   *
   * Rejects with a ClosedError (code ERR_CLOSED) that has the `reason` if the stream closes, or if
   * the peer ends its side before the read is complete ('remote'). A hook whose promise rejects
   * with it has not failed: `on_close` tells it. Before the stream is open, `read` rejects with the
   * error of `opened`. A read that is too long rejects with an OverflowError, and a delimiter that
   * throws with a ReadError: nothing is dropped then, and no error hook is called. A rejection
   * never becomes an unhandled one.
   *
   * Throws InvalidDelimiterError or InvalidArgumentError for invalid arguments, and
   * InvalidStateError if `connect` was never called.
   *
   * @example
   * const client = await new Client({ encoding: 'utf8' }).connect(['localhost', 25]).opened
   * const greeting = await client.read('\r\n', { timeout: 5000 })
   */
  // Source: asyncio's `readuntil` and `readexactly`; Erlang's `gen_tcp:recv`.
  read<D extends ReadDelimiter = By>(
    delimiter?: D | undefined,
    options?: ReadOptions,
  ): Promise<Read<D>> {
    return pull(this, 'read', delimiter, options) as Promise<Read<D>>
  }

  /**
   * `for await (const data of channel)`: one read after the other, as `read()` without arguments.
   * Nothing goes to `on_read` while the loop runs. It ends when the peer has ended, or when the
   * stream closes; if that is because of an error, a timeout or an overflow, it throws. The stream
   * stays open if the loop is left.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Read<By>> {
    const { pulls } = linkOf(this).reading
    let state: 'new' | 'running' | 'over' = 'new'
    const finish = (): IteratorResult<Read<By>> => {
      if (state === 'running') pulls.loop(-1)
      state = 'over'
      return { value: undefined, done: true }
    }
    return {
      next: async () => {
        if (state === 'over') return finish()
        try {
          const read = this.read()
          if (state === 'new') pulls.loop(1)
          state = 'running'
          return { value: (await read) as Read<By>, done: false }
        } catch (error) {
          const result = finish()
          if (isQuietEnd(error)) return result
          throw error
        }
      },
      return: async () => finish(),
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  /**
   * Resolves with the stream when what `on_connect` has begun is done: at once if it returned
   * nothing, else when its promise has settled. So it is later than `opened` if `on_connect` logs
   * in.
   *
   * Rejects with what `on_connect` threw or its promise rejected with, with the error of `opened`,
   * or with a ClosedError if the stream closes before. You need not look at it: it never becomes an
   * unhandled rejection.
   */
  get ready(): Promise<this> {
    const ready = becomeReady(this)
    ready.catch(noop)
    return ready
  }
}

/** What `read` does; `reader`: one of its own, if it is not that of the delimiter. */
export function pull(
  stream: StreamHooks<any>,
  call: string,
  delimiter: ReadDelimiter | undefined,
  options: ReadOptions = {},
  reader?: Reader,
): Promise<unknown> {
  checkOptions(call, options, ['timeout', 'signal'])
  const { timeout = Infinity, signal } = options
  checkDuration(`${call}: timeout`, timeout)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError(`${call}: signal`, 'an AbortSignal', signal)
  if (delimiter !== undefined) checkDelimiter(delimiter)
  const link = linkOf(stream)
  if (stream.state === 'closed' && !link.wasAttached) throw notConnected(`${call}()`)
  if (link.protocol !== undefined) throw protocolOnly(`${call}()`)
  const { pulls } = link.reading
  const own = delimiter === undefined ? undefined : (reader ?? pulls.readerFor(delimiter))
  return pulls.read(own, timeout, signal, StreamHooks.prototype.on_read)
}

async function becomeReady<Of extends StreamHooks<any>>(stream: Of): Promise<Of> {
  await stream.opened
  const { greeting } = linkOf(stream).reading.pulls
  if (greeting === undefined) return stream
  const closed = stream.closed.then(reason => {
    throw stream[LIFE].endedError(`closed (${reason}) before on_connect was done`, reason)
  })
  await Promise.race([greeting, closed])
  return stream
}

function isQuietEnd(error: unknown): boolean {
  return (
    error instanceof ClosedError && ['local', 'remote', 'drain'].includes(error.reason as string)
  )
}
