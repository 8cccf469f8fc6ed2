/**
 * Bench. The load 'packets': each UDP socket keeps a number of packets under way.
 *
 * Rules:
 * 1. Every packet has a number, so one that comes twice, or changed, is found.
 * 2. As it is UDP, a packet that is lost is no fault. After a silence, others take the place of
 *    those that are lost.
 */

import { Buffer } from 'node:buffer'
import { createSocket, type Socket } from 'node:dgram'
import { line } from './batches.ts'
import type { Load, Task } from './load.ts'
import { sleep, Tally } from './tally.ts'

/** The number of packets that differ: too many for one to be sent again while it is under way. */
const COUNT = 4096

/** Milliseconds of silence after which the packets under way count as lost. */
const LOST = 200

export async function packets(task: Task, load: Load & { kind: 'packets' }): Promise<void> {
  const tally = new Tally(task)
  const all = Array.from({ length: COUNT }, (_, id) => numbered(id))
  const peers = Array.from(
    { length: load.connections },
    () => new Peer(tally, all, load.outstanding),
  )
  await Promise.all(peers.map(peer => peer.connect(task.port)))
  for (const peer of peers) peer.fill()
  void replaceLost(peers)
  await tally.overTime()
}

async function replaceLost(peers: readonly Peer[]): Promise<void> {
  for (;;) {
    await sleep(LOST)
    for (const peer of peers) peer.replaceLost()
  }
}

/** 64 bytes, the first four of which are its number. */
function numbered(id: number): Buffer {
  const bytes = line(id, 64)
  bytes.writeUInt32BE(id)
  return bytes
}

class Peer {
  readonly #tally: Tally
  readonly #packets: readonly Buffer[]
  readonly #outstanding: number
  readonly #socket: Socket = createSocket('udp4')
  readonly #underway = new Set<number>()
  #next = 0
  #hasHeard = true

  constructor(tally: Tally, all: readonly Buffer[], outstanding: number) {
    this.#tally = tally
    this.#packets = all
    this.#outstanding = outstanding
    this.#socket.on('message', data => this.#received(data))
    this.#socket.on('error', error => tally.fault(`socket: ${error.message}`))
  }

  connect(port: number): Promise<void> {
    return new Promise(resolve => this.#socket.connect(port, '127.0.0.1', () => resolve()))
  }

  fill(): void {
    while (this.#underway.size < this.#outstanding) {
      this.#underway.add(this.#next)
      this.#socket.send(this.#packets[this.#next] as Buffer)
      this.#next = (this.#next + 1) % COUNT
    }
  }

  replaceLost(): void {
    if (!this.#hasHeard) {
      this.#underway.clear()
      this.fill()
    }
    this.#hasHeard = false
  }

  #received(data: Buffer): void {
    const id = data.length < 4 ? -1 : data.readUInt32BE()
    const expected = this.#packets[id]
    if (expected === undefined || !expected.equals(data)) {
      return this.#tally.wrong(data, expected ?? (this.#packets[0] as Buffer), 0)
    }
    this.#hasHeard = true
    // A packet that counts as lost and comes after all is not counted.
    if (this.#underway.delete(id)) this.#tally.messages++
    this.fill()
  }
}
