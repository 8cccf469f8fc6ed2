/**
 * Bench. The worker of one case in the micro bench: it runs the case for a while, each time it is
 * asked.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { type Case, makeCases } from './cases.ts'

/** Milliseconds that a case runs when it is asked. */
const SLICE = 15

/** What was done in one slice. */
export interface Measured {
  /** Nanoseconds. */
  readonly time: number
  readonly messages: number
}

const one = makeCases()[workerData as number] as Case
parentPort?.on('message', () => parentPort?.postMessage(measure(one)))

function measure({ run }: Case): Measured {
  const start = process.hrtime.bigint()
  const end = start + BigInt(SLICE * 1e6)
  let messages = 0
  let at = start
  while (at < end) {
    messages += run()
    at = process.hrtime.bigint()
  }
  return { time: Number(at - start), messages }
}
