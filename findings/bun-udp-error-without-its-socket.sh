#!/usr/bin/env bash
# Bun: the `error` handler of Bun.udpSocket gets the error as its first argument, and nothing else.
#
# Versions:  the npm package `bun`, 1.4.5, on Linux.
# Expected:  its types (bun-types 1.4.4, `Bun.udp.SocketHandler`) say
#            `error?(socket, error)`, as all other handlers get the socket first.
# Seen:      one argument, the error. So a handler as the types want it finds `undefined`, and what
#            it throws then is printed instead of the error.
# Here:      src/io/bun/udp.ts takes the first argument.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 150 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
const free = await Bun.udpSocket({ hostname: '127.0.0.1', socket: {} })
const { port } = free
free.close()

// Nobody is at that port, so the system answers each packet with a refusal.
const got = await new Promise(async resolve => {
  const socket = await Bun.udpSocket({
    connect: { hostname: '127.0.0.1', port },
    socket: { error: (...what) => resolve(what) },
  })
  socket.send('anybody?')
})
const [first] = got
console.log(`bun ${Bun.version}: ${got.length} argument, an ${first.constructor.name}: ${first.code}`)
process.exit(got.length === 1 && first.code === 'ECONNREFUSED' ? 0 : 1)
PROGRAM

npm install --silent --no-save --prefix "$folder" bun@1.4.5
timeout 20 "$folder/node_modules/bun/bin/bun.exe" "$folder/program.mjs"
