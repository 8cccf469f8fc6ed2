/**
 * Layer 8. insist: asks the relay again while its server is away.
 */

import { Backoff } from '../core/backoff.ts'
import type { Engine } from '../engine.ts'
import { codeOf } from '../errors.ts'
import type { Milliseconds } from '../types.ts'

/** A server that restarts is there again in seconds. */
const LONGEST: Milliseconds = 2000

/**
 * Resolves with what `call` resolves with. If the server of the relay is away, it is called again
 * later, as long as `isWanted`. Rejects with any other error.
 */
export async function insist<Value>(
  engine: Engine,
  isWanted: () => boolean,
  call: () => Promise<Value>,
): Promise<Value> {
  const backoff = new Backoff({ first: 100, longest: LONGEST })
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (codeOf(error) !== 'ERR_RELAY_UNAVAILABLE' || !isWanted()) throw error
      await pause(engine, backoff.next(engine.now))
      if (!isWanted()) throw error
    }
  }
}

/** Resolves after `delay` ms. */
export function pause(engine: Engine, delay: Milliseconds): Promise<void> {
  return new Promise(resolve => {
    engine.defer(delay, resolve)
  })
}
