/**
 * Bench. WebSocket broadcast: each text goes to all connections.
 */

import { WebSocketConnection, WebSocketServer } from 'sluice/websocket'
import { ready } from '../child.ts'

class Member extends WebSocketConnection {
  override on_message(text: string | Buffer): void {
    ;(this.server as WebSocketServer).broadcast(text)
  }
}

const server = new WebSocketServer(Member).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
