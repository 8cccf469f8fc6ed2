/**
 * Layer 2. Worker threads by node:worker_threads. What runs in each is thread-main.ts.
 */

import { Worker } from 'node:worker_threads'
import type { Thread, ThreadOwner, Threads } from '../../threads.ts'

/** In src/ it is TypeScript, in lib/ it is not. */
const MAIN = new URL(`./thread-main${import.meta.url.slice(-3)}`, import.meta.url)

export const nodeThreads: Threads = {
  start(module, data, owner) {
    return new NodeThread(module, data, owner)
  },
}

class NodeThread implements Thread {
  readonly #worker: Worker

  constructor(module: string, data: unknown, owner: ThreadOwner) {
    const worker = new Worker(MAIN, { workerData: { module, data } })
    let error: Error | undefined
    this.#worker = worker
    worker.unref()
    worker.on('message', message => owner.received(message))
    // It may throw anything.
    worker.on(
      'error',
      thrown => (error = thrown instanceof Error ? thrown : new Error(`${thrown}`)),
    )
    worker.on('exit', () => owner.ended(error))
  }

  post(message: unknown): void {
    this.#worker.postMessage(message)
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#worker.ref()
    else this.#worker.unref()
  }

  kill(): void {
    void this.#worker.terminate()
  }
}
