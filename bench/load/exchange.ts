/**
 * Bench. The load 'exchange': each connection sends a batch, waits for the whole answer, and sends
 * the next one.
 */

import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { type Batch, isWebSocket, makeBatches, UPGRADE } from './batches.ts'
import type { Load, Task } from './load.ts'
import { connected, dial, dialSecurely } from './socket.ts'
import { Tally } from './tally.ts'

export async function exchange(task: Task, load: Load & { kind: 'exchange' }): Promise<void> {
  const tally = new Tally(task)
  const batches = makeBatches(load.work, load.outstanding, task.file)
  const peers = Array.from(
    { length: load.connections },
    (_, i) => new Peer(task, load, tally, batches, i),
  )
  await connected(peers.map(peer => peer.socket))
  for (const peer of peers) peer.begin()
  await tally.overTime()
}

class Peer {
  readonly socket: Socket
  readonly #tally: Tally
  readonly #batches: readonly Batch[]
  #next: number
  #batch: Batch
  /** Bytes of the answer so far. */
  #got = 0

  constructor(
    { port }: Task,
    { isSecure, work }: Load & { kind: 'exchange' },
    tally: Tally,
    batches: readonly Batch[],
    index: number,
  ) {
    this.#tally = tally
    this.#batches = batches
    // Each peer starts at another batch, with an even number: batches may alternate.
    this.#next = (index * 14) % batches.length
    this.#batch = isWebSocket(work) ? UPGRADE : (batches[this.#next] as Batch)
    this.socket = (isSecure === true ? dialSecurely : dial)(port, tally, (size, bytes) =>
      this.#received(size, bytes),
    )
  }

  /** Sends the handshake, if there is one, or else the first batch. */
  begin(): void {
    if (this.#batch === UPGRADE) this.socket.write(UPGRADE.send)
    else this.send()
  }

  send(): void {
    this.#batch = this.#batches[this.#next] as Batch
    this.#next = (this.#next + 1) % this.#batches.length
    this.#got = 0
    this.socket.write(this.#batch.send)
  }

  #received(size: number, bytes: Buffer): void {
    const { expect, messages } = this.#batch
    const got = this.#got + size
    if (got > expect.length || bytes.compare(expect, this.#got, got, 0, size) !== 0) {
      return this.#tally.wrong(bytes.subarray(0, size), expect.subarray(this.#got), this.#got)
    }
    this.#got = got
    if (got < expect.length) return
    this.#tally.messages += messages
    this.send()
  }
}
