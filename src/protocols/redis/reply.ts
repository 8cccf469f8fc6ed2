/**
 * Layer 7. Reply: what a server sends, as values of JavaScript.
 */

import type { Buffer } from 'node:buffer'
import type { RedisError } from './errors.ts'

/**
 * A reply, or a part of one:
 * - text: a string, or a Buffer if the command asked for bytes
 * - an integer: a number, or a bigint if it is too large for one; a big number: a bigint
 * - a double, a boolean, nothing: a number, a boolean, null
 * - an array, a map, a set: an array, a Map, a Set. (With RESP2 all three are arrays.)
 * - an error inside an array: a RedisError. One that is the whole reply rejects the promise.
 */
export type Reply =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | RedisError
  | readonly Reply[]
  | ReadonlyMap<Reply, Reply>
  | ReadonlySet<Reply>

/** What a server sends by itself: a message for a subscriber, an invalidated key. */
export class Push {
  /** 'message', 'subscribe', 'invalidate' … */
  readonly kind: string
  /** What follows the kind. */
  readonly data: readonly Reply[]

  constructor([kind, ...data]: readonly Reply[]) {
    this.kind = String(kind)
    this.data = data
  }
}
