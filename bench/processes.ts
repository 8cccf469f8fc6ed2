/**
 * Bench. The processes that the runner starts. Each is one Node, held to a core if the system can
 * do that.
 *
 * Rules:
 * 1. Only processes that were started here are ended here, each by its own id. All of them are
 *    ended, even if the runner is interrupted.
 * 2. Nothing waits for ever: it is an error if something does not happen in time.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Milliseconds that a process may take to start, or to answer a question. */
const PATIENCE = 10_000

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** What a process runs. */
export interface Start {
  /** A file below `folder`, without its ending. */
  readonly program: string
  readonly args?: readonly string[]
  /** The folder of the compiled bench that the program is in. Default: this one. */
  readonly folder?: string
  /** The path of the Node. Default: the Node of the runner. */
  readonly node?: string
  /** What stands before the program, see nodes.ts. Default: --expose-gc. */
  readonly options?: readonly string[]
  /** Options of Node, besides these. */
  readonly flags?: readonly string[]
  /** The core that the process is held to. Default: the system chooses. */
  readonly core?: number | undefined
}

const running = new Set<Child>()

/** Ends every process that still runs. */
export function endAll(): void {
  for (const child of running) child.kill()
}

export class Child {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  /** The messages that nobody has taken yet. */
  readonly #messages: unknown[] = []
  /** Takes the next message. */
  #taker: ((message: unknown) => void) | undefined
  /** The end of what it said on stderr: why it ended. */
  #complaint = ''

  /** Starts a process. `name` is what errors call it. */
  constructor(name: string, start: Start) {
    this.#name = name
    const { program, args = [], folder = HERE, node = process.execPath, core } = start
    const { options = ['--expose-gc'], flags = [] } = start
    const run = [node, ...options, ...flags, join(folder, `${program}.js`), ...args]
    const command = core === undefined ? run : ['taskset', '-c', String(core), ...run]
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

  /** The port that a server says it listens on. `within`: milliseconds. */
  port(within = PATIENCE): Promise<number> {
    return this.#soon('listen', within, done => {
      let said = ''
      this.#process.stdout?.setEncoding('utf8').on('data', text => {
        said += text
        const port = /^READY (\d+)$/m.exec(said)?.[1]
        if (port !== undefined) done(Number(port))
      })
    })
  }

  send(message: unknown): void {
    // A process that has gone takes no message. That it has gone is noticed elsewhere.
    if (this.#process.connected) this.#process.send(message as object, () => {})
  }

  #received(message: unknown): void {
    const taker = this.#taker
    this.#taker = undefined
    if (taker === undefined) this.#messages.push(message)
    else taker(message)
  }

  /** The next message that it sends, or has sent. `within`: milliseconds. */
  next<Message>(within = PATIENCE): Promise<Message> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift() as Message)
    return this.#soon('answer', within, done => (this.#taker = done as (message: unknown) => void))
  }

  /** Sends a message; resolves with the next one that it sends. `within`: milliseconds. */
  ask<Message>(question: unknown, within = PATIENCE): Promise<Message> {
    const answer = this.next<Message>(within)
    this.send(question)
    return answer
  }

  /** Rejects if it takes too long, or if the process ends first. */
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

  /** Why it has ended, or ends now; undefined if it goes on. */
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

  /** SIGSTOP, SIGCONT … */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Ends it at once. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** Ends it; resolves when it has gone. */
  async end(): Promise<void> {
    this.kill()
    await this.#ended
  }
}
