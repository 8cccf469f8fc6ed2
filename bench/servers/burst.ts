/**
 * Bench. Many small writes in one hook: each line is answered by a hundred copies of it, one write
 * for each.
 */

import { Connection, Server } from 'sluice'
import { ready } from '../child.ts'

class Burst extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    for (let i = 0; i < 100; i++) this.write(line + '\r\n')
  }
}

const server = new Server(Burst).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
