/**
 * Bench. node:net as most people write it: one `socket.write` for each message. The arguments:
 * which of the servers below, what that server needs, and `tls` for the same on node:tls.
 *
 * Rules:
 * 1. It is correct: no message is lost, or cut where chunks end.
 * 2. It sets `noDelay`. Without it, every second small write waits 40 ms for the acknowledgement of
 *    the peer: that would be a comparison with a mistake.
 */

import { Buffer } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import { createServer as createSecureServer } from 'node:tls'
import { CERTIFICATE, KEY } from '../certificate.ts'
import { ready } from '../child.ts'

const [kind = '', argument = '', how] = process.argv.slice(2)
const CRLF = Buffer.from('\r\n')

const SERVERS: Readonly<Record<string, (socket: Socket) => void>> = {
  raw,
  lines,
  buffers,
  frames,
  alternate,
  burst,
  file,
  broadcast,
}

function raw(socket: Socket): void {
  socket.on('data', data => socket.write(data))
}

function lines(socket: Socket): void {
  onLine(socket, line => socket.write(line + '\r\n'))
}

/** Calls with each line. It is latin1 unless the argument says utf8, so that no byte changes. */
function onLine(socket: Socket, call: (line: string) => void): void {
  const decoder = new StringDecoder(argument === 'utf8' ? 'utf8' : 'latin1')
  let rest = ''
  socket.on('data', data => {
    rest += decoder.write(data)
    const parts = rest.split('\r\n')
    rest = parts.pop() as string
    for (const line of parts) call(line)
  })
}

function buffers(socket: Socket): void {
  let rest = Buffer.alloc(0)
  socket.on('data', data => {
    rest = Buffer.concat([rest, data])
    for (let end = rest.indexOf(CRLF); end !== -1; end = rest.indexOf(CRLF)) {
      socket.write(Buffer.concat([rest.subarray(0, end), CRLF]))
      rest = rest.subarray(end + 2)
    }
  })
}

function frames(socket: Socket): void {
  let rest = Buffer.alloc(0)
  socket.on('data', data => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0)
      const frame = Buffer.alloc(end)
      frame.writeUInt32BE(end - 4, 0)
      rest.copy(frame, 4, 4, end)
      socket.write(frame)
      rest = rest.subarray(end)
    }
  })
}

/** A line, then 64 bytes, and so on. */
function alternate(socket: Socket): void {
  let rest = Buffer.alloc(0)
  let isLine = true
  socket.on('data', data => {
    rest = Buffer.concat([rest, data])
    for (;;) {
      const line = isLine ? rest.indexOf(CRLF) : -1
      const end = isLine ? line + 2 : 64
      if (isLine ? line === -1 : rest.length < end) return
      socket.write(rest.toString('latin1', 0, end), 'latin1')
      rest = rest.subarray(end)
      isLine = !isLine
    }
  })
}

function burst(socket: Socket): void {
  onLine(socket, line => {
    for (let i = 0; i < 100; i++) socket.write(line + '\r\n')
  })
}

function file(socket: Socket): void {
  onLine(socket, () => createReadStream(argument).pipe(socket, { end: false }))
}

const members = new Set<Socket>()

function broadcast(socket: Socket): void {
  members.add(socket)
  socket.on('close', () => members.delete(socket))
  onLine(socket, line => {
    for (const member of members) member.write(line + '\r\n')
  })
}

const serve = SERVERS[kind]
if (serve === undefined) throw new Error(`no such server: ${kind}`)
const onSocket = (socket: Socket): void => {
  // A client that has gone is no error.
  socket.on('error', () => {})
  serve(socket)
}
const options = { noDelay: true }
const server =
  how === 'tls'
    ? createSecureServer({ ...options, key: KEY, cert: CERTIFICATE }, onSocket)
    : createServer(options, onSocket)
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () =>
  ready(['127.0.0.1', (server.address() as AddressInfo).port]),
)
