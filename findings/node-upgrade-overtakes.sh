#!/usr/bin/env bash
# node:http: a request for an upgrade overtakes the answer to the request before it.
#
# Versions:  the npm package `node`, 22.23.3 and 26.10.0, on Linux.
# Expected:  a client sends GET and, without waiting, a request for an upgrade on the same
#            connection (pipelining). Answers come in the order of the requests (RFC 9112, 9.3.2):
#            so 'upgrade' is emitted when the response to the GET has ended.
# Seen:      'upgrade' is emitted at once. Its listener writes the 101 and what it has to say; the
#            response to the GET comes later and stands in the middle of that, as bytes of the new
#            protocol.
# Here:      WebSocketServer.attach gets its connections by this event. Who lets a WebSocket through
#            something that pipelines must give it a connection of its own.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'

const server = createServer((_, response) => setTimeout(() => response.end('answer'), 300))
server.on('upgrade', (_, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\none ')
  setTimeout(() => socket.end('two'), 600)
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const client = connect(server.address().port, '127.0.0.1')
client.setEncoding('latin1')
client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
let heard = ''
for await (const chunk of client) heard += chunk
const order = heard.match(/HTTP\/1\.1 \d+|one|answer|two/g).join(', ')
console.log(`node ${process.version}: ${order}`)
process.exit(order === 'HTTP/1.1 101, one, HTTP/1.1 200, answer, two' ? 0 : 1)
PROGRAM

for version in 22.23.3 26.10.0; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  timeout 60 "$folder/$version/node_modules/node/bin/node" "$folder/program.mjs"
done
