/**
 * Bench. The load 'bulk': each connection sends lines as fast as they go, and reads them again.
 *
 * Rule: no more than IN_FLIGHT is under way. More would pile up in this process instead of in the
 * sockets.
 */

import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { line } from './batches.ts'
import type { Load, Task } from './load.ts'
import { connected, dial, READ_SIZE } from './socket.ts'
import { Tally } from './tally.ts'

/** Bytes of one write, and the most that is under way on a connection. */
const PIECE = 64 * 1024
const IN_FLIGHT = 1024 * 1024

/** Lines, and then their beginning again. So every piece and every read is one run of bytes. */
interface Pattern {
  readonly bytes: Buffer
  /** Bytes after which it repeats. */
  readonly period: number
  /** Bytes of a line. */
  readonly size: number
}

export async function bulk(task: Task, load: Load & { kind: 'bulk' }): Promise<void> {
  const tally = new Tally(task)
  const period = IN_FLIGHT
  const lines = Array.from({ length: period / load.size }, (_, id) => line(id, load.size))
  const pattern = {
    bytes: Buffer.concat([...lines, ...lines.slice(0, READ_SIZE / load.size)]),
    period,
    size: load.size,
  }
  const peers = Array.from({ length: load.connections }, () => new Peer(task.port, tally, pattern))
  await connected(peers.map(peer => peer.socket))
  for (const peer of peers) peer.send()
  await tally.overTime()
}

class Peer {
  readonly socket: Socket
  readonly #tally: Tally
  readonly #pattern: Pattern
  /** Bytes. */
  #sent = 0
  #got = 0
  #isFull = false

  constructor(port: number, tally: Tally, pattern: Pattern) {
    this.#tally = tally
    this.#pattern = pattern
    this.socket = dial(port, tally, (size, bytes) => this.#received(size, bytes))
    this.socket.on('drain', () => {
      this.#isFull = false
      this.send()
    })
  }

  send(): void {
    const { bytes, period } = this.#pattern
    while (!this.#isFull && this.#sent - this.#got <= IN_FLIGHT - PIECE) {
      const at = this.#sent % period
      this.#sent += PIECE
      this.#isFull = !this.socket.write(bytes.subarray(at, at + PIECE))
    }
  }

  #received(size: number, bytes: Buffer): void {
    const { bytes: expected, period } = this.#pattern
    const at = this.#got % period
    if (bytes.compare(expected, at, at + size, 0, size) !== 0) {
      return this.#tally.wrong(bytes.subarray(0, size), expected.subarray(at), this.#got)
    }
    this.#got += size
    this.#tally.messages += size / this.#pattern.size
    this.send()
  }
}
