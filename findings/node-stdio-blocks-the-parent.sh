#!/usr/bin/env bash
# Node: a socket that was given to a child process as its input blocks the whole parent afterwards.
#
# Versions:  the npm package `node`, 22.23.3 and 26.10.0, on Linux.
# Expected:  `spawn(command, { stdio: [socket, socket, 'inherit'] })`, as inetd does it: the child
#            has a copy of the descriptor, and the parent's socket is what it was. When the child
#            has ended, the parent goes on with the connection, and its writes return at once.
# Seen:      `socket.write` of 20 MB to a peer that reads only after two seconds returns true after
#            two seconds. Nothing else runs meanwhile: no timer, no other connection. The child
#            makes its input, output and errors blocking for the command, and that flag belongs to
#            the socket, not to the descriptor: it is the parent's as well, and stays when the child
#            has gone. What fits into the kernel's buffer is written at once, so a test with a few
#            bytes, or a peer that reads, finds nothing.
# Here:      the same was seen with `fileno` of a Stream, whose docstring says so. A connection that
#            a child has had is left to it, or goes through pipes.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/peer.mjs" <<'PROGRAM'
import { connect } from 'node:net'

const socket = connect(process.argv[2], '127.0.0.1')
setTimeout(() => socket.resume(), 2000)
PROGRAM

cat >"$folder/program.mjs" <<'PROGRAM'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')

/** How long a write takes, and the longest pause between two calls of a timer meanwhile, in ms. */
async function write(shared) {
  const peer = spawn(process.execPath, [`${process.argv[2]}/peer.mjs`, server.address().port])
  process.on('exit', () => peer.kill())
  const [socket] = await once(server, 'connection')
  if (shared) await once(spawn('true', { stdio: [socket, 'ignore', 'ignore'] }), 'exit')
  let [last, pause] = [performance.now(), 0]
  const timer = setInterval(() => {
    pause = Math.max(pause, performance.now() - last)
    last = performance.now()
  }, 10)
  const start = performance.now()
  socket.end(Buffer.alloc(20_000_000))
  const took = performance.now() - start
  await once(peer, 'exit')
  clearInterval(timer)
  return [took, pause]
}

const seen = [await write(false), await write(true)]
for (const [i, [took, pause]] of seen.entries())
  console.log(
    `${process.version}, ${i ? 'a child has had it' : 'never given away'}:`,
    `the write took ${took.toFixed()} ms, the longest pause ${pause.toFixed()} ms`,
  )
process.exit(seen[0][0] < 500 && seen[1][0] > 1000 && seen[1][1] > 1000 ? 0 : 1)
PROGRAM

for version in 22.23.3 26.10.0; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  timeout 60 "$folder/$version/node_modules/node/bin/node" "$folder/program.mjs" "$folder"
done
