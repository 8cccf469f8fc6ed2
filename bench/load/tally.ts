/**
 * Bench. What one run of the generator counts: warm-up, then the window, then the result.
 *
 * Rules:
 * 1. Nothing is counted that was not compared with what had to come.
 * 2. The load goes on until the runner ends the process: while it reads the server's clock the
 *    server must still be busy.
 */

import { now } from '../child.ts'
import type { Report, Task } from './load.ts'

export class Tally {
  /** Messages that came back right, so far. */
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
    // A machine that is busy otherwise may not get round to anything in one short window.
    for (let i = 0; i < 10 && (i === 0 || this.messages === messages); i++)
      await sleep(this.#task.window)
    end()
  }

  /** The clock runs from here on; what it returns stops it. */
  begin(): () => void {
    const { messages } = this
    const [at, cpu] = [now(), cpuTime()]
    return () => {
      if (this.#hasEnded) return
      this.#hasEnded = true
      say({ messages: this.messages - messages, elapsed: now() - at, cpu: cpuTime() - cpu })
    }
  }

  /** Something is wrong: the sample does not count. */
  fault(text: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    say({ fault: text })
  }

  /**
   * As `fault`, with the first byte that is wrong; `at` says which of the bytes of the stream, or
   * message, that is.
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

/** Until the runner has taken notice of 'begin'. */
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
