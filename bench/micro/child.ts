/**
 * Bench. The process of one Node in the micro bench: it counts, and has its workers measure.
 *
 * Rules:
 * 1. Each case is measured in a worker of its own. In one and the same V8 every call site would
 *    have seen the types of all cases, which no server's call site does, and each case would be as
 *    slow as its neighbours make it.
 * 2. Only one worker runs at a time. So the CPU time of the process is that of the case, with what
 *    V8 does for it in other threads: compiling and collecting.
 */

import { Worker } from 'node:worker_threads'
import { makeCases } from './cases.ts'
import { counts } from './counts.ts'
import type { CaseName, Question, Sample } from './times.ts'
import type { Measured } from './worker.ts'

const workers = new Map<number, Worker>()

process.on('message', async (question: Question) => process.send?.(await answer(question)))
process.on('disconnect', () => process.exit())

async function answer(question: Question): Promise<object> {
  if (question === 'counts') return counts()
  if (question === 'cases') return makeCases().map(({ run, ...name }): CaseName => name)
  return measure(question.index)
}

async function measure(index: number): Promise<Sample> {
  const before = process.cpuUsage()
  const { time, messages } = await ask(workerFor(index))
  const { user, system } = process.cpuUsage(before)
  return { time: time / messages, cpu: ((user + system) * 1000) / messages }
}

function workerFor(index: number): Worker {
  let worker = workers.get(index)
  if (worker === undefined) {
    worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: index })
    workers.set(index, worker)
  }
  return worker
}

function ask(worker: Worker): Promise<Measured> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (measured: Measured) => {
      worker.off('error', reject)
      resolve(measured)
    })
    worker.postMessage('measure')
  })
}
