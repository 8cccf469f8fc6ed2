/**
 * Bench. A delimiter that changes with each message, as in a protocol of headers and bodies: a
 * line, 64 bytes, a line, …
 */

import { Connection, type ReadDelimiter, Server } from 'sluice'
import { ready } from '../child.ts'

class AlternateEcho extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter: ReadDelimiter = '\r\n'

  override on_read(data: string): void {
    if (this.read_delimiter === '\r\n') {
      this.write(data + '\r\n')
      this.read_delimiter = 64
    } else {
      this.write(data)
      this.read_delimiter = '\r\n'
    }
  }
}

const server = new Server(AlternateEcho).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
