/**
 * Bench. Line echo on Bun's own sockets, tuned by hand as net-tuned.ts is: a chunk is decoded once,
 * and what answers it goes out in one `write`. Bun keeps nothing, so what the system has not taken
 * waits here, and meanwhile nothing is read.
 */

import { Buffer } from 'node:buffer'
import { ready } from '../child.ts'

interface Socket {
  data: Peer
  write(data: string | Buffer, encoding?: 'latin1'): number
  pause(): void
  resume(): void
}

interface Peer {
  rest: string
  waiting: Buffer | undefined
}

declare const Bun: {
  listen(options: { hostname: string; port: number; socket: object }): { readonly port: number }
}

function received(socket: Socket, data: Buffer): void {
  const peer = socket.data
  const text = peer.rest + data.toString('latin1')
  let out = ''
  let at = 0
  for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n', at)) {
    out += text.slice(at, end) + '\r\n'
    at = end + 2
  }
  peer.rest = text.slice(at)
  if (out !== '') send(socket, out)
}

function send(socket: Socket, out: string): void {
  const peer = socket.data
  const gone = peer.waiting === undefined ? Math.max(0, socket.write(out, 'latin1')) : 0
  if (gone === out.length) return
  const left = Buffer.from(out.slice(gone), 'latin1')
  peer.waiting = peer.waiting === undefined ? left : Buffer.concat([peer.waiting, left])
  socket.pause()
}

function drain(socket: Socket): void {
  const { waiting } = socket.data
  if (waiting === undefined) return
  const left = waiting.subarray(Math.max(0, socket.write(waiting)))
  socket.data.waiting = left.length > 0 ? left : undefined
  if (left.length === 0) socket.resume()
}

const server = Bun.listen({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open: (socket: Socket) => (socket.data = { rest: '', waiting: undefined }),
    data: received,
    drain,
    close() {},
    error() {},
  },
})
ready(['127.0.0.1', server.port])
