/**
 * Layer 1. Pause: a wait before something is tried again. The engine owns it, as it owns a
 * connection: when the engine stops, the wait is over, and whoever waits is told that it stops. So
 * nothing waits for ever, and nothing begins again in an engine that has stopped.
 */

import type { Cancel, Milliseconds } from '../../types.ts'
import { deferred } from '../deferred.ts'
import { type Drive, LIFE, type Owned } from '../drive.ts'

export class Pause implements Owned {
  readonly state = 'opening'
  /** It is no channel that is counted. */
  readonly [LIFE] = { gauge: () => undefined }
  readonly #drive: Drive
  readonly #stopped: () => void
  readonly #ended = deferred<void>()
  readonly #cancel: Cancel

  /**
   * Exactly one of the two is called, unless it is cancelled: the time is over, or the engine
   * stops. Neither is called in here, also if the engine is stopping already.
   */
  constructor(drive: Drive, wait: Milliseconds, over: () => void, stopped: () => void) {
    this.#drive = drive
    this.#stopped = stopped
    drive.remember(this)
    this.#cancel = drive.after(wait, () => {
      this.cancel()
      over()
    })
    if (drive.isStopping) queueMicrotask(() => this.close())
  }

  get closed(): Promise<void> {
    return this.#ended.promise
  }

  cancel(): void {
    this.#cancel()
    this.#drive.forget(this)
    this.#ended.resolve()
  }

  /** The engine stops. */
  end(): void {
    this.close()
  }

  close(): void {
    if (!this.#drive.channels.has(this)) return
    this.cancel()
    this.#stopped()
  }
}

/** Resolves with true after so long; with false at once if the engine stops. */
export function pause(drive: Drive, wait: Milliseconds): Promise<boolean> {
  return new Promise(resolve => {
    const settle = (isOver: boolean) => () => resolve(isOver)
    new Pause(drive, wait, settle(true), settle(false))
  })
}
