/**
 * Layer 5. How a stream closes because of an error, unless `on_error` is overridden: politely, so
 * that what was answered before the error is sent. What the peer gets does not depend on how its
 * requests were cut into chunks.
 *
 * It closes at once if nothing was written, so that a peer that sends garbage costs nothing; and if
 * sending is what failed.
 */

import { OverflowError, WriteError } from '../../errors.ts'
import type { Milliseconds } from '../../types.ts'
import type { Life } from '../life.ts'
import type { Past } from '../past.ts'
import type { StreamValues } from './stream-settings.ts'

/** The link of the stream. */
export interface FailedLink {
  readonly life: Life
  readonly values: StreamValues
  readonly told: Past
  readonly hasPeerEnded: boolean
  readonly writing: { readonly isEmpty: boolean }
}

/**
 * The longest that it may take: less than `end_timeout`, because the peer does something wrong. As
 * nginx waits after an error (`lingering_timeout`).
 */
const AFTER_ERROR: Milliseconds = 5000

/** The stream that is closed because of an error now. (A field would cost every stream memory.) */
let failing: FailedLink | undefined

export function closeAfter(link: FailedLink, error: Error): void {
  const { channel, state } = link.life
  if (state === 'closing') return
  if (state !== 'active' || !hasWritten(link) || isOfSending(error)) return channel.close()
  failing = link
  try {
    channel.close(true)
  } finally {
    failing = undefined
  }
}

/**
 * How long a polite end that begins now may take, and whether an error is the reason. Infinity if
 * it cannot hang.
 */
export function endOf(link: FailedLink): { timeout: Milliseconds; isError: boolean } {
  const { end_timeout } = link.values
  const isError = failing === link
  if (!mayHang(link)) return { timeout: Infinity, isError }
  return { timeout: isError ? Math.min(end_timeout, AFTER_ERROR) : end_timeout, isError }
}

/**
 * Not if both have said all, unless TLS has its own goodbye to say. (A timer of 7 us is a tenth of
 * a short connection.)
 */
function mayHang({ hasPeerEnded, writing, told }: FailedLink): boolean {
  return !hasPeerEnded || !writing.isEmpty || told.tls !== undefined
}

function hasWritten({ told, writing }: FailedLink): boolean {
  return told.bytes_written > 0 || !writing.isEmpty
}

/** Sending what is queued makes no sense after this error, or needs memory that is short. */
function isOfSending(error: Error): boolean {
  return (
    error instanceof WriteError || (error instanceof OverflowError && error.buffer !== 'receive')
  )
}
