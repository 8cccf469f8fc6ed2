/**
 * Bench. Broadcast: each line goes to all connections.
 */

import { Connection, Server } from 'sluice'
import { ready } from '../child.ts'

class Member extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.server.broadcast(line + '\r\n')
  }
}

const server = new Server(Member).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
