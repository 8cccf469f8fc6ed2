/**
 * Layer 8. insist: asks the relay again while its server is away.
 */

import { Backoff } from '../core/backoff.ts'
import { pause } from '../core/time/pause.ts'
import { DRIVE, type Engine } from '../engine.ts'
import { codeOf } from '../errors.ts'
import type { Milliseconds } from '../types.ts'

/** A server that restarts is there again in seconds. */
const LONGEST: Milliseconds = 2000

/**
 * Resolves with what `call` resolves with. If the server of the relay is away, it is called again
 * later, as long as `isWanted` and the engine does not stop. Rejects with any other error.
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
      if (!(await pause(engine[DRIVE], backoff.next(engine.now))) || !isWanted()) throw error
    }
  }
}
