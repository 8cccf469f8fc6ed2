/** Bench. What the server of a soak holds. It tells the runner if it is asked. */

import { readdirSync } from 'node:fs'
import type { Server } from 'sluice'

/** What the server holds, after a collection. */
export interface Holding {
  /** Bytes. */
  readonly heap: number
  /** Bytes outside of the heap that belong to objects of it: buffers. */
  readonly external: number
  /** Open descriptors of the process. Undefined if the system does not say. */
  readonly descriptors: number | undefined
  readonly connections: number
  /** Connections that have closed since the start, by reason. */
  readonly closed: Readonly<Record<string, number>>
}

/** Answers the runner, and says where the server listens. `closed`: see Holding. */
export function tellHolding(server: Server, closed: Readonly<Record<string, number>>): void {
  process.on('message', () => process.send?.(holding(server, closed)))
  process.on('disconnect', () => process.exit())
  console.log(`READY ${(server.local_address as [string, number])[1]}`)
}

function holding(server: Server, closed: Holding['closed']): Holding {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return {
    heap: heapUsed,
    external,
    descriptors: countDescriptors(),
    connections: server.channels.size,
    closed,
  }
}

function countDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}
