/** Our ends, which echo what they get. */

import { Engine } from '../../src/engine.ts'
import { WebSocketClient } from '../../src/protocols/websocket/client.ts'
import { WebSocketConnection } from '../../src/protocols/websocket/connection.ts'
import { WebSocketServer } from '../../src/protocols/websocket/server.ts'

/** As large as those of group 9. */
const OPTIONS = { message_size: 16 * 1024 * 1024, deflate: true, end_timeout: 5000 }

/** What the peers do wrong is what they are for. */
const engine = new Engine({ log: () => {} })

class Echo extends WebSocketConnection {
  override on_message(data: string | Buffer): void {
    this.send(data)
  }
}

class EchoClient extends WebSocketClient {
  override on_message(data: string | Buffer): void {
    this.send(data)
  }
}

/** A server that echoes. */
export async function startEcho(): Promise<{
  host: string
  port: number
  stop(): Promise<unknown>
}> {
  const server = await new WebSocketServer(Echo, { engine, ...OPTIONS }).listen(['127.0.0.1', 0])
    .opened
  const [host, port] = server.local_address as [string, number]
  return {
    host,
    port,
    stop() {
      server.close()
      return server.closed
    },
  }
}

/** A client that echoes, until it has closed. */
export function callEcho(url: string): Promise<unknown> {
  return new EchoClient({ engine, ...OPTIONS }).connect(url).closed
}
