/**
 * Bench. Frame echo: a length of four bytes, then that many bytes. Each frame goes back.
 */

import { Buffer } from 'node:buffer'
import { Connection, length_prefix, Server } from 'sluice'
import { ready } from '../child.ts'

/** One for all connections: a delimiter keeps no state. */
const FRAMES = length_prefix({ size: 4 })

class FrameEcho extends Connection {
  override read_delimiter = FRAMES

  override on_read(payload: Buffer): void {
    this.write_packed(payload)
  }
}

const server = new Server(FrameEcho).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
