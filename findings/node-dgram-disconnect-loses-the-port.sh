#!/usr/bin/env bash
# node:dgram: after `disconnect()` a socket that was bound to port 0 is deaf, and has no port.
#
# Versions:  the npm package `node`, 26.10.0, on Linux.
# Expected:  `connect` limits a bound socket to one peer, and `disconnect` lifts that: the socket is
#            what `bind` has made of it, with the same port, and hears everybody again.
# Seen:      if the system has chosen the port, disconnecting gives it back: `address().port` is 0,
#            packets to the port that the others know are lost (or reach whoever gets it next), and
#            the next `send` leaves from a port that is new. There is no error. (Linux unbinds a
#            socket whose port was not asked for.) Bound to a port by its number all is as
#            expected: a server has one, and what fails is the client or the test with port 0.
# Here:      a `Datagram` is connected for its whole life, or never.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 130 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" node@26.10.0 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import dgram from 'node:dgram'
import { once } from 'node:events'

async function bound(port) {
  const socket = dgram.createSocket('udp4')
  socket.heard = []
  socket.on('message', (message, from) => socket.heard.push({ text: `${message}`, from }))
  await once(socket.bind(port, '127.0.0.1'), 'listening')
  return socket
}

/** Loopback loses nothing, so what has not come by then does not come. */
const soon = () => new Promise(resolve => setTimeout(resolve, 500))

const peer = await bound(0)
const other = await bound(0)

async function run(asked) {
  const socket = await bound(asked)
  const { port } = socket.address()
  socket.connect(peer.address().port, '127.0.0.1')
  await once(socket, 'connect')
  const kept = socket.address().port === port
  socket.disconnect()
  const after = socket.address().port
  other.send('in', port, '127.0.0.1')
  await soon()
  socket.send('out', other.address().port, '127.0.0.1')
  const [, { port: from }] = await once(other, 'message')
  const heard = socket.heard.length
  socket.close()
  return { kept, after: after === port ? 'same' : after, heard, leaves: from === port }
}

const chosen = await run(0)
const free = await bound(0)
const { port } = free.address()
await new Promise(resolve => free.close(resolve))
const given = await run(port)
console.log('port 0:', chosen, 'port given:', given)
const expected = [
  { kept: true, after: 0, heard: 0, leaves: false },
  { kept: true, after: 'same', heard: 1, leaves: true },
]
process.exit(JSON.stringify([chosen, given]) === JSON.stringify(expected) ? 0 : 1)
PROGRAM

cd "$folder" && timeout 30 node_modules/.bin/node program.mjs
