/**
 * Bench. Line echo without an encoding: each line is a Buffer.
 */

import { Buffer } from 'node:buffer'
import { Connection, Server } from 'sluice'
import { ready } from '../child.ts'

class BufferEcho extends Connection {
  override read_delimiter = '\r\n'

  override on_read(line: Buffer): void {
    this.write(line)
    this.write('\r\n')
  }
}

const server = new Server(BufferEcho).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
