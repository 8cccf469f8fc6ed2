/**
 * Bench. What one run of the generator counts: warm-up, a record of the count, the result.
 *
 * Rules:
 * 1. A message is counted only after it was compared with what had to come.
 * 2. The load goes on until the runner ends the process. The server must still be busy while the
 *    runner asks for its CPU time.
 */

import { now } from '../child.ts'
import type { Entry, Report, Task } from './load.ts'

/** Milliseconds from one entry of the record to the next. */
const STEP = 5

export class Tally {
  /** The messages that came back right so far. */
  messages = 0
  readonly #task: Task
  #hasEnded = false

  constructor(task: Task) {
    this.#task = task
  }

  /** Warms up, then keeps the record until the runner has measured. */
  async overTime(): Promise<void> {
    await sleep(this.#task.warm_up)
    const end = this.begin()
    say('begin')
    await go()
    end()
  }

  /** Begins the record. Returns the function that ends it and reports. */
  begin(): () => void {
    const [at, cpu] = [now(), cpuTime()]
    const record: Entry[] = []
    const note = (): void => void record.push([now(), this.messages])
    note()
    const timer = setInterval(note, STEP)
    return () => {
      clearInterval(timer)
      note()
      if (this.#hasEnded) return
      this.#hasEnded = true
      say({ record, elapsed: now() - at, cpu: cpuTime() - cpu })
    }
  }

  /** Reports that something is wrong: the sample does not count. */
  fault(text: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    say({ fault: text })
  }

  /**
   * Reports the first byte that is wrong, as a fault. `at` is the position of the bytes in their
   * stream, or in their message.
   */
  wrong(got: Uint8Array, expected: Uint8Array, at: number): void {
    let i = 0
    while (i < got.length && got[i] === expected[i]) i++
    this.fault(`wrong byte ${at + i}: got ${hex(got[i])}, expected ${hex(expected[i])}`)
  }
}

/** Tells the runner. */
export function say(report: Report): void {
  process.send?.(report)
}

/** Resolves when the runner says 'go'. */
export function go(): Promise<void> {
  return new Promise(resolve => process.once('message', () => resolve()))
}

export function sleep(delay: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, delay))
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function hex(byte: number | undefined): string {
  return byte === undefined ? 'nothing' : `0x${byte.toString(16).padStart(2, '0')}`
}
