/**
 * Bench. The server of a soak: line echo with small bounds and short timeouts. It says what it
 * holds when it is asked.
 */

import { readdirSync } from 'node:fs'
import { Connection, Server } from 'sluice'

/** What the server holds, after a collection. */
export interface Holding {
  /** Bytes. */
  readonly heap: number
  /** Bytes outside of the heap that belong to objects of it: buffers. */
  readonly external: number
  /** Open descriptors of the process. Undefined if the system does not say. */
  readonly descriptors: number | undefined
  readonly connections: number
  /** Lines read since the start. */
  readonly reads: number
  /** Connections that have closed since the start, by reason. */
  readonly closed: Readonly<Record<string, number>>
}

let reads = 0
const closed: Record<string, number> = {}

class SoakEcho extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\n'
  override read_timeout = 1000
  override write_timeout = 1000
  override end_timeout = 1000
  override send_buffer_size = 1024 * 1024

  override on_read(line: string): void {
    reads++
    this.write(line + '\n')
  }

  override on_error(): void {
    this.close()
  }

  override on_close(reason: string): void {
    closed[reason] = (closed[reason] ?? 0) + 1
  }
}

const server = new Server(SoakEcho).listen(['127.0.0.1', 0])
await server.opened

function holding(): Holding {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return {
    heap: heapUsed,
    external,
    descriptors: countDescriptors(),
    connections: server.channels.size,
    reads,
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

process.on('message', () => process.send?.(holding()))
process.on('disconnect', () => process.exit())
console.log(`READY ${(server.local_address as [string, number])[1]}`)
