/**
 * Layer 10. The processes of `sluice-echo --workers N`, as the one sees them that keeps them
 * running.
 *
 * start → all of them listen → one dies: another takes its place → stop → all have ended: the exit
 * code.
 *
 * Rules:
 * 1. Workers that die again and again end it all, with exit code 1: what kills each of them would
 *    kill the next.
 * 2. It alone is told by signals, and tells the workers. A worker that is told before it listens
 *    may not hear it, so it is told again.
 */

import type { Milliseconds } from '../../types.ts'

/** What is used of node:cluster, which main.ts passes. */
export interface Cluster {
  readonly isPrimary: boolean
  /** In a worker: the way to the process that started it. */
  readonly worker?: Upward | undefined
  setupPrimary(settings: { args: string[] }): void
  fork(): Worker
}

/** One worker. */
export interface Worker {
  readonly id: number
  kill(signal: 'SIGKILL'): unknown
  isConnected(): boolean
  send(message: 'stop'): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'exit', listener: (code: number | null, signal: string | null) => void): unknown
}

/** What a worker knows of the process that started it. */
export interface Upward {
  readonly id: number
  send(message: 'listening'): unknown
  on(event: 'message' | 'disconnect', listener: (message?: unknown) => void): unknown
  disconnect(): unknown
}

/** So many workers may die within so long. One more, and it is no accident. */
const DEATHS_MAX = 5
const WITHIN: Milliseconds = 60_000

export class Workers {
  readonly #cluster: Cluster
  readonly #now: () => Milliseconds
  readonly #say: (text: string) => void
  readonly #running = new Set<Worker>()
  /** When workers died, within the last minute. */
  #deaths: Milliseconds[] = []
  #awaited: number
  #state: 'running' | 'stopping' = 'running'
  #code = 0
  #settle!: (code: number) => void

  /** Resolves with the exit code when all have ended. */
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

  get size(): number {
    return this.#running.size
  }

  /** Starts them with these arguments; `ready` is called once, when all of them listen. */
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

  /** Lets all of them finish their connections. */
  stop(): void {
    this.#state = 'stopping'
    for (const worker of this.#running) if (worker.isConnected()) worker.send('stop')
  }

  /** Ends them at once. */
  kill(): void {
    for (const worker of this.#running) worker.kill('SIGKILL')
  }
}
