/**
 * Layer 7. Pause: the wait before the next attempt to connect. The engine owns it as it owns a
 * connection. So a client whose engine stops meanwhile learns of it, and closes.
 */

import { deferred } from '../../core/deferred.ts'
import { DRIVE, LIFE, type Owned } from '../../core/drive.ts'
import type { Gauge } from '../../core/tally.ts'
import type { Engine } from '../../engine.ts'
import type { Cancel, Milliseconds } from '../../types.ts'

const GAUGE: Gauge = { kind: 'stream', bytes_read: 0, bytes_written: 0, bytes_held: 0 }

export class Pause implements Owned {
  readonly state = 'opening'
  readonly [LIFE] = { gauge: () => GAUGE }
  readonly #engine: Engine
  readonly #stopped: () => void
  readonly #ended = deferred<void>()
  readonly #cancel: Cancel

  /** Exactly one of the two is called, unless it is cancelled: it is over, or the engine stops. */
  constructor(engine: Engine, wait: Milliseconds, over: () => void, stopped: () => void) {
    this.#engine = engine
    this.#stopped = stopped
    engine[DRIVE].remember(this)
    this.#cancel = engine[DRIVE].after(wait, () => {
      this.cancel()
      over()
    })
  }

  get closed(): Promise<void> {
    return this.#ended.promise
  }

  cancel(): void {
    this.#cancel()
    this.#engine[DRIVE].forget(this)
    this.#ended.resolve()
  }

  /** The engine stops. */
  end(): void {
    this.close()
  }

  close(): void {
    this.cancel()
    this.#stopped()
  }
}
