/**
 * Bench. Each line is answered by the file that the argument names.
 */

import { Connection, Server } from 'sluice'
import { ready } from '../child.ts'

const PATH = process.argv[2] as string

class FileSender extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\r\n'

  override on_read(): void {
    this.write_file(PATH)
  }
}

const server = new Server(FileSender).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
