/**
 * Layer 7. PingsAhead: finds the pings that wait behind messages while a promise of the program
 * holds those. They are answered at once: some peers take one that does not answer for dead.
 *
 * Rules:
 * 1. Nothing is taken out: each ping comes once more when it is its turn (`wasTold`).
 * 2. No byte is looked at twice.
 * 3. It stops at the first frame that is not complete, or that will be refused.
 */

import type { RecvBuffer } from '../../../core/reading/recv-buffer.ts'
import type { Bytes } from '../../../types.ts'
import { CONTROL_MAX, FIN, KEY, MASK, PING, readLength, sizeOfHeader, unmasked } from '../frames.ts'
import { Control } from '../incoming.ts'

export class PingsAhead {
  /** How many were told, and have not come again. */
  #told = 0
  /** How far it has looked, of all bytes ever received. */
  #looked: Bytes = 0

  /** Those from `at` on in the run that were not told yet. */
  find(buffer: RecvBuffer, at: Bytes, received: Bytes, isMasked: boolean): Control[] {
    while (buffer.more());
    const { bytes, start, end } = buffer
    const before = received - end
    const found: Control[] = []
    for (let from = Math.max(start + at, this.#looked - before); from + 2 <= end;) {
      const second = bytes[from + 1] as number
      const payload = from + sizeOfHeader(second)
      const length = payload > end ? -1 : readLength(bytes, from)
      if (length < 0 || payload + length > end || ((second & MASK) !== 0) !== isMasked) break
      if (bytes[from] === (FIN | PING)) {
        if (length > CONTROL_MAX) break
        const key = isMasked ? bytes.readInt32LE(payload - KEY) : 0
        found.push(new Control(PING, unmasked(bytes, payload, length, key), 'ahead'))
      }
      from = payload + length
      this.#looked = before + from
    }
    this.#told += found.length
    return found
  }

  /** The next ping has come in its turn: was it told already? */
  wasTold(): boolean {
    return this.#told > 0 && this.#told-- > 0
  }

  forget(): void {
    this.#told = this.#looked = 0
  }
}
