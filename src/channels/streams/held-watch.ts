/**
 * Layer 5. HeldWatch: tells in the log, once for each opening, which hook has held reads for HELD
 * while bytes wait. Usually it waits for an answer that it holds back itself, and no timeout helps.
 *
 * It is made when the first bytes have to wait for a hook, and looks only while some may wait, so
 * a hook that is quick costs nothing.
 */

import type { Promises } from '../../core/promises.ts'
import type { Deadline } from '../../core/time/deadlines.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import type { Life } from '../life.ts'

/** Long for a hook, and short for a person who wonders why nothing happens. */
const HELD: Milliseconds = 5000

/** The way in of the stream. */
export interface HeldOwner {
  readonly life: Life
  /** What hooks have begun in this opening. */
  readonly promises: Promises | undefined
  /** How many bytes wait, if the program awaits no read. */
  readonly waiting: Bytes
}

export class HeldWatch implements Deadline {
  bucket: Deadline['bucket']
  readonly #owner: HeldOwner
  #state: 'off' | 'on' | 'told' = 'off'
  /** The number of the hold that was seen last. */
  #hold = 0

  constructor(owner: HeldOwner) {
    this.#owner = owner
  }

  /** Bytes have to wait. */
  begin(): void {
    if (this.#state !== 'off' || this.#owner.promises?.areAny !== true) return
    const { drive } = this.#owner.life
    this.#state = 'on'
    this.#hold = this.#owner.promises.holds
    drive.watch(this, drive.now + HELD)
  }

  look(now: Milliseconds): Milliseconds {
    const { life, promises, waiting } = this.#owner
    if (promises?.areAny !== true || waiting === 0) {
      this.#state = 'off'
      return Infinity
    }
    if (promises.holds !== this.#hold) {
      this.#hold = promises.holds
      return now + HELD
    }
    this.#state = 'told'
    life.say(
      `${promises.by} has held the reads for ${HELD / 1000} s, and ${waiting} bytes wait for it; ` +
        'a hook that needs an answer awaits read()',
    )
    return Infinity
  }

  /** The opening is over. */
  stop(): void {
    if (this.#state === 'on') this.#owner.life.drive.watch(this, Infinity)
    this.#state = 'off'
  }
}
