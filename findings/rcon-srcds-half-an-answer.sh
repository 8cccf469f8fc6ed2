#!/usr/bin/env bash
# rcon-srcds: an answer that comes in two segments is given as if its first half were all.
#
# Versions:  the npm packages `rcon-srcds`, 2.1.1, and `rcon-client`, 4.2.5, on any Node.
# Expected:  a packet of RCON begins with its length, so a client waits until it is there, however
#            TCP cuts it: `execute('status')` gives the whole answer. So does rcon-client.
# Seen:      rcon-srcds takes each segment for a packet. An answer of which a part has come resolves
#            with that part, less its last two characters, and what comes later is dropped. The
#            promise does not reject. On one machine, and with short answers, segments are packets,
#            so a test finds nothing; a list of players that is longer than 1,448 bytes comes from
#            another machine in two.
# Here:      `length_prefix` gives messages that are whole.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  rcon-srcds@2.1.1 rcon-client@4.2.5 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const { Rcon } = require('rcon-client')
const { default: RconSrcds } = require('rcon-srcds')

const [RESPONSE, AUTH_RESPONSE, AUTH] = [0, 2, 3]
const ANSWER = `players: ${'anna, '.repeat(50)}bert`

function packet(id, type, text) {
  const bytes = Buffer.alloc(14 + text.length)
  bytes.writeInt32LE(10 + text.length, 0)
  bytes.writeInt32LE(id, 4)
  bytes.writeInt32LE(type, 8)
  bytes.write(text, 12)
  return bytes
}

/** Many turns of the event loop: what was written has been read by then, however busy it is. */
async function turns() {
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setTimeout(resolve, 2))
}

let cut = false
const server = net.createServer(socket => {
  let received = Buffer.alloc(0)
  socket.setNoDelay()
  socket.on('data', async data => {
    received = Buffer.concat([received, data])
    while (received.length >= 4 && received.length >= 4 + received.readInt32LE(0)) {
      const [size, id, type] = [0, 4, 8].map(at => received.readInt32LE(at))
      received = received.subarray(4 + size)
      if (type === AUTH) socket.write(packet(id, AUTH_RESPONSE, ''))
      else {
        const bytes = packet(id, RESPONSE, ANSWER)
        if (!cut) socket.write(bytes)
        else {
          socket.write(bytes.subarray(0, 100))
          await turns()
          socket.write(bytes.subarray(100))
        }
      }
    }
  })
})

async function rconSrcds(port) {
  const client = new RconSrcds({ host: '127.0.0.1', port, timeout: 20_000 })
  await client.authenticate('secret')
  const answer = await client.execute('list')
  await client.disconnect()
  return answer
}

async function rconClient(port) {
  const options = { host: '127.0.0.1', port, password: 'secret', timeout: 20_000 }
  const client = await Rcon.connect(options)
  const answer = await client.send('list')
  await client.end()
  return answer
}

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  let same = true
  for (cut of [false, true]) {
    for (const client of [rconClient, rconSrcds]) {
      const answer = await client(server.address().port)
      const how = cut ? 'in two segments' : 'in one segment'
      console.log(`${client.name}, ${how}: ${answer.length} of ${ANSWER.length} characters`)
      const lost = cut && client === rconSrcds
      same &&= answer === (lost ? ANSWER.slice(0, 86) : ANSWER)
    }
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
