#!/usr/bin/env bash
# node:dgram: of a connected socket, `send(message, port, address)` goes to the other peer.
#
# Versions:  the npm package `node`, 26.10.0, on Linux.
# Expected:  a connected socket has one recipient. A `send` that names another one throws
#            ERR_SOCKET_DGRAM_IS_CONNECTED, and sends nothing.
# Seen:      so it is with a callback, and with offset and length in front of the port. The usual
#            form, `send(message, port, address)`, and `send(message, port)`, send the message to
#            the peer of the connection, without an error: three arguments are taken for a message,
#            an offset and a length, and then passed over. So a program in which a socket has
#            become a connected one tells the one what was meant for the other.
# Here:      `write(data, address)` of a connected `Datagram` is refused (ERR_INVALID_STATE).
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 130 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" node@26.10.0 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import dgram from 'node:dgram'
import { once } from 'node:events'

async function bound(name) {
  const socket = dgram.createSocket('udp4')
  socket.on('message', message => heard.push(`${name} heard ${message}`))
  await once(socket.bind(0, '127.0.0.1'), 'listening')
  return socket
}

const heard = []
const peer = await bound('the peer')
const other = await bound('the other')
const socket = await bound('nobody')
socket.connect(peer.address().port, '127.0.0.1')
await once(socket, 'connect')
const { port } = other.address()

/** Sends, and then a last message whose way is sure, so that all before it has come. */
async function run(send) {
  heard.length = 0
  try {
    send()
  } catch (error) {
    heard.push(error.code)
  }
  socket.send('last')
  peer.send('last', port, '127.0.0.1')
  while (heard.filter(text => text.endsWith('last')).length < 2)
    await Promise.race([once(peer, 'message'), once(other, 'message')])
  return heard.filter(text => !text.endsWith('last')).join()
}

const results = [
  await run(() => socket.send('hi', port, '127.0.0.1')),
  await run(() => socket.send('hi', port)),
  await run(() => socket.send('hi', port, '127.0.0.1', () => {})),
  await run(() => socket.send(Buffer.from('hi'), 0, 2, port, '127.0.0.1')),
]
console.log(results)
const refused = 'ERR_SOCKET_DGRAM_IS_CONNECTED'
const expected = ['the peer heard hi', 'the peer heard hi', refused, refused]
process.exit(results.join('|') === expected.join('|') ? 0 : 1)
PROGRAM

cd "$folder" && timeout 30 node_modules/.bin/node program.mjs
