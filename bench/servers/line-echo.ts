/**
 * Bench. Line echo: every line goes back. The argument is the encoding: latin1 (the default), utf8.
 */

import { Connection, type Encoding, Server } from 'sluice'
import { ready } from '../child.ts'

class LineEcho extends Connection {
  override encoding = (process.argv[2] ?? 'latin1') as Encoding
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.write(line + '\r\n')
  }
}

const server = new Server(LineEcho).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
