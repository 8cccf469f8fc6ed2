/**
 * Bench. What one writes without rooms: each message goes to all other connections, in a loop over
 * them, by npm's ws. The argument is the folder that it is installed in.
 */

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ready } from '../child.ts'

interface Peer {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void
  send(data: Buffer, options: { binary: boolean }): void
}

const { WebSocketServer } = createRequire(join(process.argv[2] as string, 'x.js'))('ws')
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () =>
  ready([server.address().address, server.address().port]),
)
server.on('connection', (socket: Peer) =>
  socket.on('message', (data, binary) => {
    for (const peer of server.clients as Set<Peer>) if (peer !== socket) peer.send(data, { binary })
  }),
)
