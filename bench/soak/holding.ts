/** Bench. What the server of a soak holds. It tells the runner if it is asked. */

import { readdirSync } from 'node:fs'
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
  /** What the server has found wrong. */
  readonly faults: readonly string[]
}

/** A server that is asked. */
export interface Holder extends Pick<Holding, 'closed'>, Partial<Pick<Holding, 'faults'>> {
  readonly port: number
  connections(): number
}

/** Answers the runner, and says where the server listens. */
export function tellHolding(holder: Holder): void {
  process.on('message', () => process.send?.(holding(holder)))
  process.on('disconnect', () => process.exit())
  console.log(`READY ${holder.port}`)
}

function holding({ connections, closed, faults = [] }: Holder): Holding {
  const descriptors = countDescriptors()
  return { ...memory(), descriptors, connections: connections(), closed, faults }
}

/** What this process holds, after a collection. */
export function memory(): Pick<Holding, 'heap' | 'external'> {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed: heap, external } = process.memoryUsage()
  return { heap, external }
}

function countDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}
