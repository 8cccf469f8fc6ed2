/**
 * Layer 9. Budget: how many packets and bytes may wait in one place.
 */

import type { Bytes } from '../../types.ts'
import { PacketError } from '../errors.ts'

export class Budget {
  readonly #limit: number
  readonly #size: Bytes
  readonly #largest: Bytes
  count = 0
  bytes: Bytes = 0
  #isReleased = false
  #half: (() => void)[] = []
  #empty: (() => void)[] = []

  /** The highest number of packets, of their bytes, and of the bytes of one. */
  constructor(limit: number, size: Bytes, largest: Bytes) {
    this.#limit = limit
    this.#size = size
    this.#largest = largest
  }

  /** Takes room for a packet. Returns false if there is none. Throws PacketError for a giant. */
  take(bytes: Bytes): boolean {
    if (bytes > this.#largest)
      throw new PacketError(
        'data',
        `packet: as JSON it must have at most ${this.#largest} bytes, the packet_size of its ` +
          `channel; it has ${bytes}`,
      )
    // One always fits, however small the limit is.
    if (this.count > 0 && (this.count >= this.#limit || this.bytes + bytes > this.#size))
      return false
    this.retake(bytes)
    return true
  }

  /** Takes room for a packet that was let in before: it may have become longer. */
  retake(bytes: Bytes): void {
    this.count++
    this.bytes += bytes
  }

  /** A packet has left. */
  free(bytes: Bytes): void {
    this.count--
    this.bytes -= bytes
    if (this.#half.length > 0 && this.#isHalf()) call(this.#half)
    if (this.#empty.length > 0 && this.count === 0) call(this.#empty)
  }

  /** Resolves when at least half of it is free. */
  half(): Promise<void> {
    return this.#isHalf() || this.#isReleased
      ? Promise.resolve()
      : new Promise(go => this.#half.push(go))
  }

  #isHalf(): boolean {
    return this.count <= this.#limit / 2 && this.bytes <= this.#size / 2
  }

  /** Resolves when nothing is left. */
  empty(): Promise<void> {
    return this.count === 0 || this.#isReleased
      ? Promise.resolve()
      : new Promise(go => this.#empty.push(go))
  }

  /** Nothing will leave any more: what waits for room goes on. */
  release(): void {
    this.#isReleased = true
    call(this.#half)
    call(this.#empty)
  }
}

function call(waiting: (() => void)[]): void {
  for (const go of waiting.splice(0)) go()
}
