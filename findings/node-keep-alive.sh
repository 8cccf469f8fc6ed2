#!/usr/bin/env bash
# node:net: `socket.setKeepAlive(true, 999)` waits for two hours, not for a second.
#
# Versions:  the npm package `node`, 22.23.3 and 24.21.0, on Linux.
# Expected:  Node's documentation says that the second argument is "in milliseconds"; only 0 leaves
#            the delay of the system.
# Seen:      it is rounded down to seconds, without a word. So less than 1000 is 0, and the first
#            probe comes after the two hours (7200 s) that Linux waits by default.
# Here:      src/io/tcp.ts asks for a second at least, so `keep_alive` never means two hours.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

/** In how many seconds the system will send its first probe. */
async function probeAfter(delay) {
  const server = createServer(peer => peer.pause()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect(server.address().port, '127.0.0.1')
  await once(socket, 'connect')
  socket.setKeepAlive(true, delay)
  const port = socket.localPort.toString(16).toUpperCase().padStart(4, '0')
  const [, , , , , timer] = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .find(([, local]) => local === `0100007F:${port}`)
  const [kind, ticks] = timer.split(':')
  socket.destroy()
  server.close()
  return kind === '02' ? Math.round(parseInt(ticks, 16) / 100) : undefined
}

const asked = [999, 1000, 1999, 5000]
const seen = await Promise.all(asked.map(probeAfter))
console.log(`node ${process.version}: ms ${asked.join(', ')} became s ${seen.join(', ')}`)
const system = Number(readFileSync('/proc/sys/net/ipv4/tcp_keepalive_time', 'utf8'))
process.exit(String(seen) === String([system, 1, 1, 5]) ? 0 : 1)
PROGRAM

for version in 22.23.3 24.21.0; do
  npm install --silent --no-save --prefix "$folder/$version" "node@$version"
  "$folder/$version/node_modules/node/bin/node" "$folder/program.mjs"
done
