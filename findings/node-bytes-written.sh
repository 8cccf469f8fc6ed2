#!/usr/bin/env bash
# node:net: `socket.bytesWritten` counts what is still queued.
#
# Versions:  the npm package `node`, 22.23.3 and 24.21.0, on Linux.
# Expected:  Node's documentation says of `bytesWritten`: "The amount of bytes sent."
# Seen:      100 MB are written to a peer that reads nothing. `bytesWritten` is 100 000 000 at once.
#            The system has a few megabytes of it, in both of its buffers together.
# Here:      src/io/tcp.ts takes off what Node holds, so that `bytes_written` and `write_timeout`
#            see what has really gone.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const SIZE = 100_000_000
const server = createServer(peer => peer.pause()).listen(0, '127.0.0.1')
await once(server, 'listening')
const socket = connect(server.address().port, '127.0.0.1')
const [[peer]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')])
socket.write(Buffer.alloc(SIZE))
const counted = socket.bytesWritten

// Both ends of the connection: what the system has of it, sent and received.
const port = server.address().port.toString(16).toUpperCase().padStart(4, '0')
const queues = readFileSync('/proc/net/tcp', 'utf8')
  .split('\n')
  .map(line => line.trim().split(/\s+/))
  .filter(([, from, to]) => from?.endsWith(`:${port}`) || to?.endsWith(`:${port}`))
  .flatMap(([, , , , queue]) => queue.split(':').map(size => parseInt(size, 16)))
const held = queues.reduce((sum, size) => sum + size, 0) + peer.bytesRead
console.log(`node ${process.version}: bytesWritten ${counted}, with the system ${held}`)
process.exit(counted === SIZE && held < SIZE / 2 ? 0 : 1)
PROGRAM

for version in 22.23.3 24.21.0; do
  npm install --silent --no-save --prefix "$folder/$version" "node@$version"
  "$folder/$version/node_modules/node/bin/node" "$folder/program.mjs"
done
