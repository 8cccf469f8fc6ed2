/**
 * Bench. Line echo: every line goes back. The arguments are the encoding, latin1 (the default) or utf8, and the network: `fast`, or none
 * for the default one.
 */

import { Connection, type Encoding, Engine, FastNetwork, Server } from 'sluice'
import { ready } from '../child.ts'

class LineEcho extends Connection {
  override encoding = (process.argv[2] ?? 'latin1') as Encoding
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.write(line + '\r\n')
  }
}

const engine = process.argv[3] === 'fast' ? new Engine({ network: new FastNetwork() }) : Engine.instance()
const server = new Server(LineEcho, { engine }).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
