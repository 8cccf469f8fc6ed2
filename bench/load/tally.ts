/**
 * Bench. What one run of the generator counts: warm-up, then the window, then the result.
 *
 * Rules:
 * 1. A message is counted only after it was compared with what had to come.
 * 2. The load goes on until the runner ends the process. The server must still be busy while the
 *    runner asks for its CPU time.
 */

import { now } from '../child.ts'
import type { Report, Task } from './load.ts'

export class Tally {
  /** The messages that came back right so far. */
  messages = 0
  readonly #task: Task
  #hasEnded = false

  constructor(task: Task) {
    this.#task = task
  }

  /** Measures by time: a warm-up, then a window. */
  async overTime(): Promise<void> {
    await sleep(this.#task.warm_up)
    const end = this.begin()
    say('begin')
    const { messages } = this
    // On a machine that is busy otherwise, one short window may pass without any message.
    for (let i = 0; i < 10 && (i === 0 || this.messages === messages); i++)
      await sleep(this.#task.window)
    end()
  }

  /** Starts the clock. Returns the function that stops it and reports. */
  begin(): () => void {
    const { messages } = this
    const [at, cpu] = [now(), cpuTime()]
    return () => {
      if (this.#hasEnded) return
      this.#hasEnded = true
      say({ messages: this.messages - messages, elapsed: now() - at, cpu: cpuTime() - cpu })
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
