/**
 * Bench. The processes that the runner starts: each one Node, held to a core where that is
 * possible.
 *
 * Rules:
 * 1. Only what was started here is ended here, by its own id; all of it, also when the runner is
 *    interrupted.
 * 2. Nothing waits for ever: what does not happen in time is an error.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How long a process may take to start, or to answer a question, in milliseconds. */
const PATIENCE = 10_000

const running = new Set<Child>()

/** Ends all that runs. */
export function endAll(): void {
  for (const child of running) child.kill()
}

export class Child {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  /** Messages that nobody has taken yet, and who waits for one. */
  readonly #messages: unknown[] = []
  #taker: ((message: unknown) => void) | undefined
  /** What it said on stderr, of which the last line is the reason why it ended. */
  #complaint = ''

  /**
   * Starts `program` (a file of this folder, without its ending) on `core`, or anywhere. `name` is
   * what errors call it.
   */
  constructor(name: string, program: string, args: readonly string[], core: number | undefined) {
    this.#name = name
    const file = fileURLToPath(new URL(`${program}.js`, import.meta.url))
    const node = [process.execPath, '--expose-gc', file, ...args]
    const command = core === undefined ? node : ['taskset', '-c', String(core), ...node]
    this.#process = spawn(command[0] as string, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#process.stderr
      ?.setEncoding('utf8')
      .on('data', text => (this.#complaint = (this.#complaint + text).slice(-2000)))
    this.#process.on('message', message => this.#received(message))
    this.#process.on('error', error => (this.#complaint += error.message))
    this.#ended = new Promise(resolve => {
      this.#process.once('close', resolve)
    }).then(() => void running.delete(this))
    running.add(this)
  }

  /** The port that a server says it listens on. */
  port(): Promise<number> {
    return this.#soon('listen', PATIENCE, done => {
      let said = ''
      this.#process.stdout?.setEncoding('utf8').on('data', text => {
        said += text
        const port = /^READY (\d+)$/m.exec(said)?.[1]
        if (port !== undefined) done(Number(port))
      })
    })
  }

  send(message: unknown): void {
    // Who has gone cannot be told; that it has gone is noticed otherwise.
    if (this.#process.connected) this.#process.send(message as object, () => {})
  }

  #received(message: unknown): void {
    const taker = this.#taker
    this.#taker = undefined
    if (taker === undefined) this.#messages.push(message)
    else taker(message)
  }

  /** The next message it sends, or has sent. */
  next<Message>(within = PATIENCE): Promise<Message> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift() as Message)
    return this.#soon('answer', within, done => (this.#taker = done as (message: unknown) => void))
  }

  ask<Message>(question: unknown): Promise<Message> {
    const answer = this.next<Message>()
    this.send(question)
    return answer
  }

  /** Rejects when it takes too long, or the process ends before. */
  async #soon<Value>(
    what: string,
    within: number,
    wait: (done: (value: Value) => void) => void,
  ): Promise<Value> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(new Error(`${this.#name} did not ${what} within ${within / 1000} s${this.#why}`)),
        within,
      )
    })
    const gone = this.#ended.then(() => {
      throw new Error(`${this.#name} ended before it did ${what}${this.#why}`)
    })
    try {
      return await Promise.race([new Promise<Value>(wait), late, gone])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Why it has ended, or is just about to; undefined when it has not. */
  async whyEnded(): Promise<string | undefined> {
    const hasEnded = await Promise.race([
      this.#ended.then(() => true),
      new Promise<false>(resolve => setTimeout(resolve, 100, false)),
    ])
    return hasEnded ? `${this.#name} ended${this.#why}` : undefined
  }

  get #why(): string {
    const lines = this.#complaint.trim().split('\n')
    const reason = lines.find(line => /^\s*\w*Error\b/.test(line)) ?? lines.at(-1)
    return reason ? `: ${reason.trim()}` : ''
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** Ends it, and waits until it has gone. */
  async end(): Promise<void> {
    this.kill()
    await this.#ended
  }
}
