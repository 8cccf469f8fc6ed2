/**
 * Bench. A room of npm's socket.io, as its guide writes it. The argument is the folder that it is
 * installed in.
 */

import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ready } from '../child.ts'

interface Socket {
  join(room: string): void
  on(event: string, listener: (data: unknown) => void): void
  to(room: string): { emit(event: string, data: unknown): void }
}

const { Server } = createRequire(join(process.argv[2] as string, 'x.js'))('socket.io')
const http = createServer()
// The members do not answer pings: there are none as long as it is measured.
const options = { transports: ['websocket'], serveClient: false, pingInterval: 10_000_000 }
new Server(http, options).on('connection', (socket: Socket) => {
  socket.join('r')
  socket.on('m', data => socket.to('r').emit('m', data))
})
http.listen(0, '127.0.0.1', () => ready(['127.0.0.1', (http.address() as AddressInfo).port]))
