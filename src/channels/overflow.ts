/**
 * Layer 4. The errors of `on_overflow_error`, worded once for streams and datagrams.
 */

import { OverflowError } from '../errors.ts'
import type { Bytes } from '../types.ts'

/**
 * `size`: the bytes that the read has at least, if its delimiter knows. `what`: which read is too
 * long. `then`: what becomes of it.
 */
export function receiveOverflow(
  limit: Bytes,
  size: Bytes | undefined,
  what: string,
  then = '',
): OverflowError {
  const fault =
    size === undefined
      ? `has more than ${limit} bytes (buffer_size) without reaching its read_delimiter`
      : `has at least ${size} bytes, as its read_delimiter says; ` +
        `at most ${limit} are allowed (buffer_size)`
  return new OverflowError('receive', limit, `${what} ${fault}${then}`)
}

/** `what`: how much is queued. */
export function sendOverflow(limit: Bytes, what: string): OverflowError {
  const message =
    `${what} wait to be sent, more than send_buffer_size (${limit}); ` + 'the write was dropped'
  return new OverflowError('send', limit, message)
}

/** `weight`: what the heaviest of the channels holds, which gets the error. */
export function engineOverflow(limit: Bytes, weight: Bytes): OverflowError {
  const message =
    `the channels of the engine hold more than ${limit} bytes (buffer_limit), ` +
    `and this one most: ${weight}`
  return new OverflowError('engine', limit, message)
}
