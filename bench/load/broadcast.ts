/**
 * Bench. The load 'broadcast': one connection sends a line and all of them have to receive it. Then
 * the next one sends.
 */

import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { line } from './batches.ts'
import type { Load, Task } from './load.ts'
import { dialAll } from './dial-all.ts'
import { dial } from './socket.ts'
import { Tally } from './tally.ts'

const LINE_SIZE = 64

export async function broadcast(task: Task, load: Load & { kind: 'broadcast' }): Promise<void> {
  const tally = new Tally(task)
  const room = new Room(tally)
  await dialAll(load.connections, () => room.add(task.port))
  room.next()
  await tally.overTime()
}

class Room {
  readonly #tally: Tally
  readonly #lines = Array.from({ length: 256 }, (_, id) => line(id, LINE_SIZE))
  readonly #sockets: Socket[] = []
  /** How many bytes of the line each connection has. */
  readonly #got: number[] = []
  #round = -1
  /** How many connections do not have the whole line yet. */
  #left = 0

  constructor(tally: Tally) {
    this.#tally = tally
  }

  add(port: number): Socket {
    const index = this.#sockets.length
    const socket = dial(port, this.#tally, (size, bytes) => this.#received(index, size, bytes))
    this.#sockets.push(socket)
    return socket
  }

  next(): void {
    this.#round++
    this.#got.fill(0)
    while (this.#got.length < this.#sockets.length) this.#got.push(0)
    this.#left = this.#sockets.length
    // The last one first: a server accepts in order. When it reads this line, all are connected.
    this.#sockets.at(-1 - (this.#round % this.#sockets.length))?.write(this.#line)
  }

  get #line(): Buffer {
    return this.#lines[this.#round % this.#lines.length] as Buffer
  }

  #received(index: number, size: number, bytes: Buffer): void {
    const expected = this.#line
    const before = this.#got[index] as number
    const got = before + size
    if (got > LINE_SIZE || bytes.compare(expected, before, got, 0, size) !== 0) {
      return this.#tally.wrong(bytes.subarray(0, size), expected.subarray(before), before)
    }
    this.#got[index] = got
    if (got < LINE_SIZE) return
    this.#tally.messages++
    if (--this.#left === 0) this.next()
  }
}
