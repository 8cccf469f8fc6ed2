#!/usr/bin/env bash
# Deno: its global WebSocket tells a loss of the connection with the close code 0.
#
# Versions:  the npm packages `deno`, 2.9.6, `node`, 26.10.0, and `ws`, 8.23.0, on Linux.
# Expected:  the code of the event `close` is 1006 if the connection was lost without a close frame,
#            or never made (RFC 6455, 7.1.5; as in browsers, Node and Bun).
# Seen:      it is 0: after a reset, an end without a close frame, a refused handshake, and where
#            nobody listens. A code that did come, or was left out (1005), is right. So a client
#            that connects again `if (code === 1006)`, or `if (code >= 1006)`, or finds its code in
#            a table, stays away after each loss, and only there.
# Here:      src/rooms/client/browser-carrier makes 1006 of it.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  deno@2.9.6 node@26.10.0 ws@8.23.0 >/dev/null

cat >"$folder/client.mjs" <<'PROGRAM'
const port = globalThis.Deno ? Deno.args[0] : process.argv[2]
const codes = []
for (const path of ['1001', '1005', 'reset', 'end', '401', '']) {
  const socket = new WebSocket(`ws://127.0.0.1:${path === '' ? 1 : port}/${path}`)
  codes.push(await new Promise(resolve => (socket.onclose = ({ code }) => resolve(code))))
}
console.log(codes.join(' '))
PROGRAM

cat >"$folder/program.mjs" <<'PROGRAM'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { WebSocketServer } from 'ws'

const http = createServer().listen(0, '127.0.0.1')
await once(http, 'listening')
const server = new WebSocketServer({ noServer: true })
const leave = {
  '/1001': client => client.close(1001),
  '/1005': client => client.close(),
  '/reset': (_, socket) => socket.resetAndDestroy(),
  '/end': (_, socket) => socket.end(),
}
http.on('upgrade', (request, socket, head) => {
  const { url } = request
  if (url === '/401') return socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')
  server.handleUpgrade(request, socket, head, client => {
    client.on('error', () => {})
    setTimeout(leave[url], 100, client, socket)
  })
})

const run = promisify(execFile)
async function codes(name, ...args) {
  const options = { timeout: 30_000, cwd: process.argv[2] }
  const { stdout } = await run(...args, options)
  console.log(`${name}: 1001, without a code, reset, end, 401, nobody there: ${stdout.trim()}`)
  return stdout.trim()
}
const program = ['client.mjs', String(http.address().port)]
const node = await codes('Node', 'node_modules/node/bin/node', program)
const args = ['run', '--allow-net', '--no-lock', ...program]
const deno = await codes('Deno', 'node_modules/deno/deno', args)
process.exit(node === '1001 1005 1006 1006 1006 1006' && deno === '1001 1005 0 0 0 0' ? 0 : 1)
PROGRAM

cd "$folder" && timeout 90 node program.mjs "$folder"
