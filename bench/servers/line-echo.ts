/**
 * Bench. Line echo: each line goes back. The first argument is the encoding, latin1 (the default)
 * or utf8. The second may be `fast` or `bun`, for that network, or `tls`, for TLS on the default
 * network.
 */

import { BunNetwork, Connection, type Encoding, Engine, FastNetwork, Server } from 'sluice'
import { CERTIFICATE, KEY } from '../certificate.ts'
import { ready } from '../child.ts'

class LineEcho extends Connection {
  override encoding = (process.argv[2] ?? 'latin1') as Encoding
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.write(line + '\r\n')
  }
}

const how = process.argv[3]
const Network = { fast: FastNetwork, bun: BunNetwork }[how ?? '']
const engine = Network ? new Engine({ network: new Network() }) : Engine.instance()
const server = new Server(LineEcho, { engine })
if (how === 'tls') server.start_tls({ key: KEY, cert: CERTIFICATE })
server.listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
