/**
 * Layer 1. Awaited: the reads that a program awaits, in order. They come before those for on_read.
 *
 * Rules:
 * 1. They are served one after the other: the next one gets what the first one has left.
 * 2. A read with a delimiter of its own has a reader of its own. Only one reader looks ahead at a
 *    time: it gives back what it has looked at before another one goes on.
 * 3. If a read goes wrong (too long, its delimiter throws), only that read fails, and nothing is
 *    dropped.
 */

import type { Bytes } from '../../types.ts'
import { Deque } from '../deque.ts'
import { NEED_MORE, type Reader, TOO_LONG } from './readers.ts'
import type { RecvBuffer } from './recv-buffer.ts'

/** One read that is awaited. Exactly one of its methods is called, once. */
export interface AwaitedRead {
  /** Cuts it. Undefined: the reader of the channel. */
  readonly reader: Reader | undefined
  /** What on_read would get: an array of its arguments if the reader spreads, else the only one. */
  taken(data: unknown, isSpread: boolean): void
  /** It is over the limit; `size`: its bytes at least, if known. */
  overflowed(limit: Bytes, size: Bytes | undefined): void
  /** The delimiter threw. */
  broken(error: unknown): void
  /** The peer has ended its side before it was complete. */
  ended(): void
}

export class Awaited {
  readonly #queue = new Deque<AwaitedRead>()
  /** The reader that may have looked ahead. Undefined: that of the channel. */
  #ahead: Reader | undefined

  /** Is there a read that is not served yet? */
  get isWaiting(): boolean {
    return this.#queue.size > 0
  }

  push(read: AwaitedRead): void {
    this.#queue.push(read)
  }

  /** It is not awaited any more. */
  remove(read: AwaitedRead): void {
    for (const each of this.#queue.takeAll()) if (each !== read) this.#queue.push(each)
  }

  /** None of them is awaited any more. */
  removeAll(): AwaitedRead[] {
    return this.#queue.takeAll()
  }

  /** Serves as many as it can. `own`: the reader of the channel. */
  serve(buffer: RecvBuffer, own: Reader, limit: Bytes, hasEnded: boolean): void {
    for (let read = this.#queue.at(0); read !== undefined; read = this.#queue.at(0)) {
      const reader = this.#turnTo(read.reader, own, buffer)
      try {
        const data = cut(reader, buffer, limit, hasEnded)
        if (data === NEED_MORE && !hasEnded) return
        if (data === NEED_MORE) read.ended()
        else if (data === TOO_LONG)
          read.overflowed(Math.max(limit, reader.needs ?? 0), reader.stated)
        else read.taken(data, reader.spread)
      } catch (error) {
        read.broken(error)
      }
      if (this.#queue.at(0) === read) this.#queue.shift()
    }
  }

  /** No reader looks ahead any more, except that of the channel. */
  giveBack(buffer: RecvBuffer): void {
    this.#ahead?.giveBack(buffer)
    this.#ahead = undefined
  }

  #turnTo(reader: Reader | undefined, own: Reader, buffer: RecvBuffer): Reader {
    if (reader !== this.#ahead) {
      ;(this.#ahead ?? own).giveBack(buffer)
      this.#ahead = reader
    }
    return reader ?? own
  }
}

function cut(reader: Reader, buffer: RecvBuffer, limit: Bytes, hasEnded: boolean): unknown {
  let data = reader.next(buffer, limit)
  while (data === NEED_MORE && buffer.more()) data = reader.next(buffer, limit)
  return data === NEED_MORE && hasEnded ? reader.rest?.(buffer) : data
}
