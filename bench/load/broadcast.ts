/**
 * Bench. The load 'broadcast': one connection sends a message and all of them have to receive it.
 * Then the next one sends.
 */

import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { type Batch, isWebSocket, makeBatches, UPGRADE } from './batches.ts'
import { dialAll } from './dial-all.ts'
import type { Load, Task } from './load.ts'
import { dial } from './socket.ts'
import { Tally } from './tally.ts'

export async function broadcast(task: Task, load: Load & { kind: 'broadcast' }): Promise<void> {
  const tally = new Tally(task)
  const room = new Room(tally, makeBatches(load.work, 1, task.file))
  await dialAll(load.connections, () => room.add(task.port))
  if (isWebSocket(load.work)) room.upgrade()
  else room.next()
  await tally.overTime()
}

class Room {
  readonly #tally: Tally
  /** Of one message each. */
  readonly #batches: readonly Batch[]
  readonly #sockets: Socket[] = []
  /** What each connection has to receive, and how many bytes of it each has. */
  #batch = UPGRADE
  readonly #got: number[] = []
  #round = -1
  /** How many connections do not have the whole message yet. */
  #left = 0

  constructor(tally: Tally, batches: readonly Batch[]) {
    this.#tally = tally
    this.#batches = batches
  }

  add(port: number): Socket {
    const index = this.#sockets.length
    const socket = dial(port, this.#tally, (size, bytes) => this.#received(index, size, bytes))
    this.#sockets.push(socket)
    return socket
  }

  /** All shake hands, before the first message. */
  upgrade(): void {
    this.#expect(UPGRADE)
    for (const socket of this.#sockets) socket.write(UPGRADE.send)
  }

  next(): void {
    this.#round++
    this.#expect(this.#batches[this.#round % this.#batches.length] as Batch)
    // The last one first: a server accepts in order. When it reads this one, all are connected.
    this.#sockets.at(-1 - (this.#round % this.#sockets.length))?.write(this.#batch.send)
  }

  #expect(batch: Batch): void {
    this.#batch = batch
    this.#got.fill(0)
    while (this.#got.length < this.#sockets.length) this.#got.push(0)
    this.#left = this.#sockets.length
  }

  #received(index: number, size: number, bytes: Buffer): void {
    const { expect, messages } = this.#batch
    const before = this.#got[index] as number
    const got = before + size
    if (got > expect.length || bytes.compare(expect, before, got, 0, size) !== 0) {
      return this.#tally.wrong(bytes.subarray(0, size), expect.subarray(before), before)
    }
    this.#got[index] = got
    if (got < expect.length) return
    this.#tally.messages += messages
    if (--this.#left === 0) this.next()
  }
}
