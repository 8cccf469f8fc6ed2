#!/usr/bin/env bash
# node:net: resetAndDestroy() right behind end() fails, and the connection stays open for ever.
#
# Versions:  the npm package `node`, 20.20.2 and 26.10.0, on Linux.
# Expected:  the connection is reset, or, if that cannot be done, closed: 'close' is emitted,
#            and the descriptor is free again.
# Seen:      while the end is on its way to the kernel, the reset is refused: 'error' with EINVAL
#            (libuv does not combine the two). `destroyed` is true, but 'close' never comes, and the
#            descriptor is kept as long as the process lives. Ten of ten times.
# Here:      sluice never calls it. A program with an adopted socket looks at `writableEnded`, and
#            calls destroy() instead. The breaking proxy of `npm run soak` lost descriptors by it.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const descriptors = () => readdirSync('/proc/self/fd').length

const server = createServer(socket => socket.resume().on('error', () => {}))
server.listen(0, '127.0.0.1')
await once(server, 'listening')

/** What is left of ten connections that `leave` has ended. */
async function left(leave) {
  const before = descriptors()
  const codes = new Set()
  let closed = 0
  for (let n = 0; n < 10; n++) {
    const socket = connect(server.address().port, '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', error => codes.add(error.code))
    socket.on('close', () => closed++)
    leave(socket)
  }
  // It would take a millisecond.
  await new Promise(resolve => setTimeout(resolve, 1000))
  return [`${closed} closed, ${descriptors() - before} kept`, ...codes].join(', ')
}

const seen = {
  resetAndDestroy: await left(socket => socket.resetAndDestroy()),
  'end, destroy': await left(socket => socket.end().destroy()),
  'end, resetAndDestroy': await left(socket => socket.end().resetAndDestroy()),
}
console.log(process.version, seen)
const { 'end, resetAndDestroy': both, ...others } = seen
const well = Object.values(others).every(text => text === '10 closed, 0 kept')
process.exit(well && both === '0 closed, 10 kept, EINVAL' ? 0 : 1)
PROGRAM

for version in 20.20.2 26.10.0; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  timeout 60 "$folder/$version/node_modules/node/bin/node" "$folder/program.mjs"
done
