#!/usr/bin/env bash
# socket.io: volatile events of a client that is cut off are kept, and sent when it is back.
#
# Versions:  the npm packages `socket.io` and `socket.io-client`, 4.8.4, on any Node.
# Expected:  `volatile` is what the chapter on being offline of its documentation names against a
#            flood of old events after a reconnect: they are given up while there is no connection,
#            and sent on one that is idle and quick.
# Seen:      both are the other way round. What `client.volatile.emit` is given between the event
#            `disconnect` and the next attempt to connect is all sent later, in order: the old
#            positions of a player, or "is typing" of somebody who has long stopped. (It asks
#            whether the transport can write, and the one that was lost has kept its "yes". After
#            an attempt that failed they are given up.) And on an idle connection to the same
#            machine the second event of a turn is never sent if it is volatile, whatever the first
#            one was: the transport cannot write from the first until a later turn. A test with one
#            event a turn that never loses the connection finds neither.
# Here:      `volatile` of a RoomServer goes by what waits for the member. A client of rooms keeps
#            what is sent while it is cut off, within its limits: ask for its state first.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  socket.io@4.8.4 socket.io-client@4.8.4 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'

const http = createServer().listen(0, '127.0.0.1')
const server = new Server(http)
await once(http, 'listening')
let socket
let got = []
server.on('connection', next => {
  socket = next
  socket.onAny(name => got.push(name))
})
const client = io(`http://127.0.0.1:${http.address().port}`, {
  transports: ['websocket'],
  reconnectionDelay: 1000,
  randomizationFactor: 0,
})
client.onAny(name => got.push(name))
await once(client, 'connect')

const seen = []
/** What arrives of what `send` sends. */
async function arrives(what, send) {
  await sleep(500)
  got = []
  await send()
  await sleep(500)
  seen.push(got.join(' '))
  console.log(`${what}: ${seen.at(-1)}`)
}

for (const [name, sender] of [
  ['server', () => socket],
  ['client', () => client],
]) {
  await arrives(`idle, ${name}, moved and a volatile one in a turn`, () => {
    sender().emit('moved')
    sender().volatile.emit('cursor')
  })
  await arrives(`idle, ${name}, three volatile in a turn`, () => {
    for (const event of ['v1', 'v2', 'v3']) sender().volatile.emit(event)
  })
  await arrives(`idle, ${name}, three volatile, 50 ms apart`, async () => {
    for (const event of ['v1', 'v2', 'v3']) {
      sender().volatile.emit(event)
      await sleep(50)
    }
  })
}
await arrives('cut off, client, three volatile', async () => {
  socket.conn.transport.socket.terminate()
  await once(client, 'disconnect')
  await sleep(100)
  for (const event of ['v1', 'v2', 'v3']) client.volatile.emit(event)
  console.log(`connected: ${client.connected}`)
  await once(client, 'connect')
})
const idle = 'moved,v1,v1 v2 v3'
process.exit(String(seen) === `${idle},${idle},v1 v2 v3` ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
