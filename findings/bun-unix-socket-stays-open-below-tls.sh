#!/usr/bin/env bash
# Bun: destroying TLS over a unix socket that still had to send leaves the unix socket open.
#
# Versions:  the npm packages `bun`, 1.4.5, and `node`, 26.10.0, on Linux.
# Expected:  a net.Server hands each connection to a tls.Server (as STARTTLS and TLS on unix sockets
#            do). When the TLS socket is destroyed, the socket below it closes, whatever it had not
#            sent yet. So it does on Node, and on Bun over TCP, or when nothing is left to be sent.
# Seen:      over a unix socket with 1.5 MB still to be sent, the TLS socket closes; that below it
#            is not destroyed, has its descriptor, and never reports 'close'. A server leaks one for
#            each such peer, and the peer is not told that it has gone.
# Here:      src/io/tls-transport destroys the socket below as well.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  bun@1.4.5 node@26.10.0 >/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
  -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import tls from 'node:tls'

const soon = () => new Promise(resolve => setTimeout(resolve, 1000))
async function isBelowClosed(at, size) {
  let below
  const options = { key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }
  const inner = tls.createServer(options, socket => {
    socket.on('error', () => {}).write(Buffer.alloc(size))
    setTimeout(() => socket.destroy(), 300)
  })
  const server = net.createServer(raw => inner.emit('connection', (below = raw)))
  server.listen(at)
  await once(server, 'listening')
  const raw = net.connect(at.path ? at : { port: server.address().port, host: '127.0.0.1' })
  const peer = tls.connect({ socket: raw, rejectUnauthorized: false })
  peer.on('error', () => {}).pause()
  await soon()
  const { destroyed } = below
  below.destroy()
  peer.destroy()
  server.close()
  return destroyed
}
console.log(
  JSON.stringify([
    await isBelowClosed({ port: 0, host: '127.0.0.1' }, 1_500_000),
    await isBelowClosed({ path: `${process.pid}.one` }, 10),
    await isBelowClosed({ path: `${process.pid}.two` }, 1_500_000),
  ]),
)
process.exit()
PROGRAM

cd "$folder"
node=$(timeout 30 node_modules/node/bin/node program.mjs)
bun=$(timeout 30 node_modules/bun/bin/bun.exe program.mjs)
echo "is the socket below closed: TCP; a unix socket; a unix socket that had to send"
echo "Node: $node"
echo "Bun:  $bun"
[ "$node" = '[true,true,true]' ] && [ "$bun" = '[true,true,false]' ]
