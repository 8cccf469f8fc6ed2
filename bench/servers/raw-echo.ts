/**
 * Bench. Raw echo: what arrives goes back.
 */

import { Buffer } from 'node:buffer'
import { Connection, Server } from 'sluice'
import { ready } from '../child.ts'

class RawEcho extends Connection {
  override on_read(data: Buffer): void {
    this.write(data)
  }
}

const server = new Server(RawEcho).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
