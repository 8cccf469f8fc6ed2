/**
 * Layer 1. Heartbeat: pings a peer that is silent, and notices if it does not answer. The protocol
 * says what a ping is.
 *
 * Rules:
 * 1. Whatever the peer sends is a sign of life, not only a pong: a pong may have to wait behind a
 *    large message.
 * 2. A silence of our own making is not the peer's: while reads are held it is not asked. Nor is
 *    a silence that was asked for.
 */

import type { Bytes, Milliseconds } from '../../types.ts'
import type { Drive } from '../drive.ts'
import type { Deadline } from './deadlines.ts'

/** What is watched over. */
export interface HeartbeatOwner {
  readonly ping_interval: Milliseconds
  readonly pong_timeout: Milliseconds
  readonly bytes_read: Bytes
  /** Are reads held, or is a silence no sign? */
  readonly isDeaf: boolean
  ping(): void
  /** The peer has not answered. */
  silent(): void
}

export class Heartbeat implements Deadline {
  bucket: Deadline['bucket']
  readonly #owner: HeartbeatOwner
  readonly #drive: Drive
  #seen: Bytes
  /** When the peer was last seen to be alive, and when it was asked after that; Infinity: not. */
  #since: Milliseconds
  #asked: Milliseconds = Infinity
  #isStopped = false

  constructor(owner: HeartbeatOwner, drive: Drive) {
    this.#owner = owner
    this.#drive = drive
    this.#seen = owner.bytes_read
    this.#since = drive.now
    drive.watch(this, this.#since + owner.ping_interval)
  }

  stop(): void {
    this.#isStopped = true
    this.#drive.watch(this, Infinity)
  }

  look(now: Milliseconds): Milliseconds {
    const { bytes_read, isDeaf, ping_interval, pong_timeout } = this.#owner
    if (bytes_read !== this.#seen || isDeaf) {
      this.#seen = bytes_read
      this.#since = now
      this.#asked = Infinity
    } else if (now >= this.#asked + pong_timeout) {
      this.#since = now
      this.#asked = Infinity
      this.#owner.silent()
    } else if (this.#asked === Infinity && now >= this.#since + ping_interval) {
      this.#asked = now
      this.#owner.ping()
    }
    if (this.#isStopped) return Infinity
    return this.#asked === Infinity ? this.#since + ping_interval : this.#asked + pong_timeout
  }
}
