#!/usr/bin/env bash
# ws: as a stream, a connection that breaks looks like one that has come to its end.
#
# Versions:  the npm package `ws`, 8.23.0, on any Node.
# Expected:  `pipeline(createWebSocketStream(socket), file)` rejects if the connection is reset in
#            the middle, or if the peer closes with an error such as 1011:
#            ERR_STREAM_PREMATURE_CLOSE, as with the stream of an HTTP response. It resolves after a
#            close with 1000.
# Seen:      it resolves in each case: the stream ends as it does at the end of everything. Half a
#            file looks like a file. Only the event 'close' of the socket has the code, 1006 or
#            1011, and it must be asked for before.
# Here:      WebSocketClient has `close_code`. In both, a transfer has to say itself where it ends.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" ws@8.23.0 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
await once(server, 'listening')
const seen = []
for (const [name, leave] of [
  ['closed with 1000', socket => socket.close(1000)],
  ['closed with 1011', socket => socket.close(1011, 'disk is full')],
  ['broken', (_, request) => request.socket.resetAndDestroy()],
]) {
  server.once('connection', (socket, request) => {
    socket.on('error', () => {})
    socket.send('half of it', () => setTimeout(leave, 100, socket, request))
  })
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`)
  const closed = once(client, 'close')
  const file = new Writable({ write: (_, __, done) => done() })
  const end = await pipeline(createWebSocketStream(client), file).then(
    () => 'resolved',
    ({ code }) => `rejected with ${code}`,
  )
  const [code] = await closed
  seen.push(`${end} ${code}`)
  console.log(`${name}: pipeline ${end}, the code is ${code}`)
}
process.exit(String(seen) === 'resolved 1000,resolved 1011,resolved 1006' ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
