/**
 * Layer 9. HistoryOutbox: the entries that are to be appended to the history of one room. Each is
 * stored once, in the order in which it came, even if the server of the relay goes away in between.
 *
 * The way of an entry: add → append → it is stored → forgotten
 *                                    → the server is away → (all others come back, too)
 *                                      → what was stored nevertheless is heard → the rest again
 *
 * Rules:
 * 1. If `append` fails because the connection was lost, it is not known whether the entry was
 *    stored. So the history is read first. An entry of ours that is found there is not sent again.
 * 2. It is bounded: `add` returns false when it is full.
 */

import { Backoff } from '../../core/backoff.ts'
import { pause } from '../../core/time/pause.ts'
import { DRIVE, type Engine } from '../../engine.ts'
import { codeOf } from '../../errors.ts'
import type { Bytes } from '../../types.ts'

/** The most that one room may have on its way: enough while a Redis stands still for a moment. */
const COUNT_MAX = 10_000
const BYTES_MAX: Bytes = 4 * 1024 * 1024

export interface HistoryOutboxOwner {
  readonly engine: Engine
  /** False: nothing is sent any more. */
  readonly isOpen: boolean
  append(data: string): Promise<number>
  /** Hears everything that is stored so far. */
  catchUp(): Promise<void>
  /** An entry will not be stored. */
  failed(error: unknown): void
  /** It is empty. */
  settled(): void
}

export class HistoryOutbox {
  readonly #owner: HistoryOutboxOwner
  readonly #waiting = new Map<string, string>()
  #size: Bytes = 0
  /** How many were appended and are not settled. */
  #flying = 0
  /**
   * Does everything wait, because the server is away, or because the end of the history is unknown?
   */
  #isStalled = true
  readonly #backoff = new Backoff({ first: 100, longest: 2000 })

  constructor(owner: HistoryOutboxOwner) {
    this.#owner = owner
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Returns false if it is full. */
  add(id: string, data: string): boolean {
    if (this.#waiting.size >= COUNT_MAX || this.#size + data.length > BYTES_MAX) return false
    this.#waiting.set(id, data)
    this.#size += data.length
    if (!this.#isStalled) this.#append(id, data)
    return true
  }

  /** What waits is appended, and what is added from now on. */
  begin(): void {
    this.#isStalled = false
    for (const [id, data] of [...this.#waiting]) this.#append(id, data)
  }

  /** What waits will not be stored. */
  giveUp(error: unknown): void {
    if (this.isEmpty) return
    for (const id of [...this.#waiting.keys()]) this.stored(id)
    this.#owner.failed(error)
  }

  /** The entry was heard: it is stored. */
  stored(id: string): void {
    const data = this.#waiting.get(id)
    if (data === undefined) return
    this.#waiting.delete(id)
    this.#size -= data.length
    if (this.isEmpty) this.#owner.settled()
  }

  #append(id: string, data: string): void {
    this.#flying += 1
    this.#owner.append(data).then(
      () => {
        this.#flying -= 1
        this.stored(id)
        this.#goOn()
      },
      (error: unknown) => {
        this.#flying -= 1
        if (codeOf(error) === 'ERR_RELAY_UNAVAILABLE') this.#isStalled = true
        else {
          this.stored(id)
          this.#owner.failed(error)
        }
        this.#goOn()
      },
    )
  }

  /** When every `append` has been answered, what is left is sent again. */
  #goOn(): void {
    if (this.#isStalled && this.#flying === 0) void this.#again()
  }

  async #again(): Promise<void> {
    const { engine } = this.#owner
    const isOver = await pause(engine[DRIVE], this.#backoff.next(engine.now))
    if (!isOver || !this.#owner.isOpen) return
    try {
      await this.#owner.catchUp()
    } catch (error) {
      this.giveUp(error)
    }
    this.#backoff.opened(engine.now)
    this.begin()
  }
}
