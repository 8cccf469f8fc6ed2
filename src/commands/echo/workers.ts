/**
 * Layer 10. The workers of `sluice-echo --workers N`, for the primary: the process that starts them
 * and keeps them running.
 *
 * start → all workers listen → one dies: another takes its place → stop → all have ended: the exit
 * code.
 *
 * Rules:
 * 1. If workers die again and again, all of it ends, with exit code 1: whatever kills them would
 *    kill the next one too.
 * 2. Only the primary acts on signals; it tells the workers to stop. A worker may not hear that
 *    before it listens, so it is told again then.
 */

import type { Milliseconds } from '../../types.ts'

/** What is used of node:cluster, which main.ts hands over. */
export interface Cluster {
  readonly isPrimary: boolean
  /** In a worker: the way to the primary. */
  readonly worker?: Upward | undefined
  setupPrimary(settings: { args: string[] }): void
  fork(): Worker
}

/** What the primary knows of a worker. */
export interface Worker {
  readonly id: number
  kill(signal: 'SIGKILL'): unknown
  isConnected(): boolean
  send(message: 'stop'): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'exit', listener: (code: number | null, signal: string | null) => void): unknown
}

/** What a worker knows of its primary. */
export interface Upward {
  readonly id: number
  send(message: 'listening'): unknown
  on(event: 'message' | 'disconnect', listener: (message?: unknown) => void): unknown
  disconnect(): unknown
}

/** This many workers may die within this time by accident. One more is no accident. */
const DEATHS_MAX = 5
const WITHIN: Milliseconds = 60_000

/** Starts the workers, replaces those that die, and ends them. */
export class Workers {
  readonly #cluster: Cluster
  readonly #now: () => Milliseconds
  readonly #say: (text: string) => void
  readonly #running = new Set<Worker>()
  /** When workers died, within the time above. */
  #deaths: Milliseconds[] = []
  /** How many workers do not listen yet. */
  #awaited: number
  #state: 'running' | 'stopping' = 'running'
  #code = 0
  #settle!: (code: number) => void

  /** Resolves with the exit code when all workers have ended. */
  readonly ended = new Promise<number>(resolve => (this.#settle = resolve))

  constructor(
    cluster: Cluster,
    count: number,
    now: () => Milliseconds,
    say: (text: string) => void,
  ) {
    this.#cluster = cluster
    this.#awaited = count
    this.#now = now
    this.#say = say
  }

  /** How many workers are running. */
  get size(): number {
    return this.#running.size
  }

  /** Starts the workers with these arguments. `ready` is called once, when all of them listen. */
  start(args: string[], ready: () => void): void {
    this.#cluster.setupPrimary({ args })
    for (let count = this.#awaited; count > 0; count--) this.#fork(ready)
  }

  #fork(ready: () => void): void {
    const worker = this.#cluster.fork()
    this.#running.add(worker)
    worker.on('message', () => {
      if (this.#state === 'stopping') worker.send('stop')
      else if (--this.#awaited === 0) ready()
    })
    worker.on('exit', (code, signal) => {
      this.#running.delete(worker)
      if (this.#state === 'running' && this.#mayGoOn(worker, code ?? signal)) this.#fork(ready)
      if (this.#running.size === 0) this.#settle(this.#code)
    })
  }

  #mayGoOn({ id }: Worker, why: unknown): boolean {
    const now = this.#now()
    this.#deaths = [...this.#deaths.filter(at => at > now - WITHIN), now]
    const { length } = this.#deaths
    if (length <= DEATHS_MAX) {
      this.#say(`worker ${id} has ended (${why}); another one takes its place`)
      return true
    }
    this.#say(
      `worker ${id} has ended (${why}), the last of ${length} within ${WITHIN / 1000} s: giving up`,
    )
    this.#code = 1
    this.stop()
    return false
  }

  /** Lets all workers finish their connections, and end. */
  stop(): void {
    this.#state = 'stopping'
    for (const worker of this.#running) if (worker.isConnected()) worker.send('stop')
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const worker of this.#running) worker.kill('SIGKILL')
  }
}
