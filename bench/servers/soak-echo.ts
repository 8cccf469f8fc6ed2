/**
 * Bench. The server of a soak: line echo with small bounds and short timeouts. It says what it
 * holds when it is asked.
 */

import { Connection, Server } from 'sluice'
import { tellHolding } from '../soak/holding.ts'

const closed: Record<string, number> = {}

class SoakEcho extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\n'
  override read_timeout = 1000
  override write_timeout = 1000
  override end_timeout = 1000
  override send_buffer_size = 1024 * 1024

  override on_read(line: string): void {
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
tellHolding({
  port: (server.local_address as [string, number])[1],
  connections: () => server.channels.size,
  closed,
})
