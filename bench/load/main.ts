/**
 * Bench. The process of the load generator. It gets its task from the runner, and works until the
 * runner ends it.
 */

import { broadcast } from './broadcast.ts'
import { bulk } from './bulk.ts'
import { connectAgain, idle } from './connections.ts'
import { exchange } from './exchange.ts'
import type { Task } from './load.ts'
import { packets } from './packets.ts'
import { say } from './tally.ts'

process.once('message', (task: Task) => {
  run(task).catch((error: Error) => say({ fault: error.message }))
})
process.on('disconnect', () => process.exit())

function run(task: Task): Promise<void> {
  const { load } = task
  switch (load.kind) {
    case 'exchange':
      return exchange(task, load)
    case 'bulk':
      return bulk(task, load)
    case 'broadcast':
      return broadcast(task, load)
    case 'connect':
      return connectAgain(task, load)
    case 'idle':
      return idle(task, load)
    case 'packets':
      return packets(task, load)
  }
}
