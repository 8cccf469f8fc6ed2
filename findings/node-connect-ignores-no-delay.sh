#!/usr/bin/env bash
# Node 26.10.0 (npm package `node`), Linux: `noDelay: true` among the options of
# `socket.connect()` does nothing.
#
# Expected: Nagle's algorithm is off for the connection. Node's documentation listed `noDelay` among
# these options until December 2025 (nodejs/node#59823).
# Seen: it stays on. The second of two small writes in two turns waits for the acknowledgement of
# the first, which Linux delays by about 40 ms. The option of `new net.Socket()` and of
# `net.connect()` works.
#
# Exit code 0: as seen. 1: it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-save --no-audit --no-fund --prefix "$folder" node@26.10.0
cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { createServer, Socket } from 'node:net'

// Answers when it has both bytes of a request.
const server = createServer({ noDelay: true }, socket => {
  let bytes = 0
  socket.on('data', chunk => {
    bytes += chunk.length
    if (bytes % 2 === 0) socket.write('!')
  })
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()

/** The median of the milliseconds that a request in two writes takes. */
async function median(socket, options) {
  socket.connect({ port, host: '127.0.0.1', ...options })
  await once(socket, 'connect')
  const times = []
  for (let round = 0; round < 9; round++) {
    const start = performance.now()
    socket.write('a')
    await new Promise(setImmediate)
    socket.write('b')
    await once(socket, 'data')
    times.push(performance.now() - start)
  }
  socket.destroy()
  return times.sort((a, b) => a - b)[4]
}

const connected = await median(new Socket(), { noDelay: true })
const made = await median(new Socket({ noDelay: true }), {})
server.close()
console.log(`noDelay given to connect(): ${connected.toFixed(1)} ms; to the constructor: ${made.toFixed(1)} ms`)
process.exit(connected > 20 && made < 20 ? 0 : 1)
PROGRAM
"$folder/node_modules/node/bin/node" "$folder/program.mjs"
