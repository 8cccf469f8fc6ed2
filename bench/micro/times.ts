/**
 * Bench. The times: nanoseconds for each message in the core, without sockets. For comparing two
 * versions on one quiet machine.
 *
 * Rules:
 * 1. Each case runs in a worker of its own. In one and the same V8 every call site would have seen
 *    the types of all cases, which no server's ever does, and each case would be as slow as its
 *    neighbours make it.
 * 2. The cases take turns in every round, so that all of them see the same machine.
 * 3. The minimum says what the code costs, the median how far to trust that.
 */

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Case, makeCases } from './cases.ts'

export interface Time {
  readonly what: string
  /** Nanoseconds for each message. */
  readonly min: number
  readonly median: number
  /**
   * What each layer costs that it has more than the case below it, by the minima; undefined where
   * there is none.
   */
  readonly layer: number | undefined
}

/**
 * Milliseconds that one case works in one round, and the rounds; the first of them warm V8 up and
 * do not count.
 */
const SLICE = 15
const ROUNDS = 15
const WARM_UP = 3

export async function times(): Promise<Time[]> {
  const cases = makeCases().map(({ what, over }, index) => ({
    what,
    over,
    measured: [] as number[],
    worker: new Worker(new URL(import.meta.url), { workerData: index }),
  }))
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const { measured, worker } of cases) measured.push(await ask(worker))
  }
  await Promise.all(cases.map(({ worker }) => worker.terminate()))
  const all = new Map(
    cases.map(({ what, measured }) => [what, measured.slice(WARM_UP).sort((a, b) => a - b)]),
  )
  const of = (what: string, index: number): number => (all.get(what) as number[])[index] as number
  return cases.map(({ what, over }) => ({
    what,
    min: of(what, 0),
    median: of(what, ROUNDS >> 1),
    layer: over && (of(what, 0) - of(over[0], 0)) / over[1],
  }))
}

function ask(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (time: number) => {
      worker.off('error', reject)
      resolve(time)
    })
    worker.postMessage('measure')
  })
}

// ---- in the worker ------------------------------------------------------------------------------

if (!isMainThread) {
  const one = makeCases()[workerData as number] as Case
  parentPort?.on('message', () => parentPort?.postMessage(measure(one)))
}

function measure({ run }: Case): number {
  const start = process.hrtime.bigint()
  const end = start + BigInt(SLICE * 1e6)
  let messages = 0
  let at = start
  while (at < end) {
    messages += run()
    at = process.hrtime.bigint()
  }
  return Number(at - start) / messages
}
