/**
 * Bench. The server of a soak of WebSocket: echo with small bounds and short timeouts. It says what
 * it holds when it is asked.
 */

import { WebSocketConnection, WebSocketServer } from 'sluice/websocket'
import { tellHolding } from '../soak/holding.ts'

const closed: Record<string, number> = {}

class SoakEcho extends WebSocketConnection {
  override deflate = true
  override message_size = 64 * 1024
  // Long enough for peers on a busy machine that behave: they answer no pings.
  override ping_interval = 1500
  override pong_timeout = 1500
  override handshake_timeout = 2000
  override write_timeout = 2000
  override end_timeout = 1000
  override send_buffer_size = 1024 * 1024

  override on_message(data: string | Buffer): void {
    this.send(data)
  }

  override on_error(): void {
    this.close()
  }

  override on_close(reason: string): void {
    closed[reason] = (closed[reason] ?? 0) + 1
  }
}

const server = await new WebSocketServer(SoakEcho).listen(['127.0.0.1', 0]).opened
tellHolding({
  port: (server.local_address as [string, number])[1],
  connections: () => server.channels.size,
  closed,
})
