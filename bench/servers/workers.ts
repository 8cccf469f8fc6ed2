/**
 * Bench. A server as several processes that share a port. The arguments: how many, the program of
 * the server, and its arguments.
 */

import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { type Answer, ready } from '../child.ts'

const [count, program, ...args] = process.argv.slice(2)

cluster.setupPrimary({
  exec: fileURLToPath(new URL(`../${program}.js`, import.meta.url)),
  args,
  // A worker says as well that it is ready, but the others may not be.
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
})

/** The CPU time that the workers have used so far, in microseconds. */
async function usage(workers: readonly Worker[]): Promise<number> {
  const answers = await Promise.all(
    workers.map(
      worker => new Promise<Answer>(resolve => worker.once('message', resolve).send('usage')),
    ),
  )
  return answers.reduce((sum, { cpu }) => sum + cpu, 0)
}

const workers = Array.from({ length: Number(count) }, () => cluster.fork())
const ports = await Promise.all(
  workers.map(
    worker => new Promise<number>(resolve => worker.once('listening', ({ port }) => resolve(port))),
  ),
)
ready(['127.0.0.1', ports[0] as number], () => usage(workers))
