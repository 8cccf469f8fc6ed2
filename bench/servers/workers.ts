/**
 * Bench. Line echo by several processes that share a port. The argument is their number.
 */

import cluster, { type Worker } from 'node:cluster'
import { Connection, Server } from 'sluice'
import { ready } from '../child.ts'

class LineEcho extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.write(line + '\r\n')
  }
}

/** The CPU time that the workers have used so far, in microseconds. */
async function usage(workers: readonly Worker[]): Promise<number> {
  const used = workers.map(
    worker => new Promise<number>(resolve => worker.once('message', resolve).send('usage')),
  )
  return (await Promise.all(used)).reduce((sum, each) => sum + each, 0)
}

if (cluster.isPrimary) {
  const workers = Array.from({ length: Number(process.argv[2]) }, () => cluster.fork())
  const ports = await Promise.all(
    workers.map(
      worker =>
        new Promise<number>(resolve => worker.once('listening', ({ port }) => resolve(port))),
    ),
  )
  ready(['127.0.0.1', ports[0] as number], () => usage(workers))
} else {
  await new Server(LineEcho).listen(['127.0.0.1', 0]).opened
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
}
