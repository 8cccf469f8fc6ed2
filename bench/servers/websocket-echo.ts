/**
 * Bench. WebSocket echo: each text goes back. The first argument may be `fast`, for the fast
 * network.
 */

import { Engine, FastNetwork } from 'sluice'
import { WebSocketConnection, WebSocketServer } from 'sluice/websocket'
import { ready } from '../child.ts'

class Echo extends WebSocketConnection {
  override on_message(text: string | Buffer): void {
    this.send(text)
  }
}

const isFast = process.argv[2] === 'fast'
const engine = isFast ? new Engine({ network: new FastNetwork() }) : Engine.instance()
const server = new WebSocketServer(Echo, { engine }).listen(['127.0.0.1', 0])
await server.opened
ready(server.local_address)
