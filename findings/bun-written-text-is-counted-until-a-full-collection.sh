#!/usr/bin/env bash
# Bun: what `socket.write(text, 'latin1')` has sent counts as memory until the whole heap is
# collected.
#
# Versions:  the npm package `bun`, 1.4.5, on Linux.
# Expected:  the bytes that Bun makes of a text are gone when the system has taken them. So a
#            collection of young objects counts them no more, as if they had been given as bytes.
# Seen:      2000 texts of 6000 characters leave 12 MB in `extraMemorySize` of `bun:jsc`, whatever
#            is collected, except by a collection of the whole heap. As bytes they leave nothing. So
#            a server that answers with text has its whole heap collected again and again: 15 times
#            a second was seen, which with 4 MB in memory was a tenth of its CPU time. By `write`
#            of node:net it is the same.
# Here:      src/io/bun/text-memory.ts and src/io/runtimes/text-bytes.ts give Bun bytes.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 150 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
import { edenGC, fullGC, heapStats } from 'bun:jsc'

const TEXTS = 2000
const SIZE = 6000

/** What is counted after so many answers, in units of what they had to send. */
async function left(write) {
  const { promise, resolve } = Promise.withResolvers()
  let got = 0
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: (socket, question) => void write(socket, question.length) },
  })
  fullGC()
  const before = heapStats().extraMemorySize
  await Bun.connect({
    hostname: '127.0.0.1',
    port: server.port,
    socket: {
      open: socket => void socket.write('?'),
      data(socket, answer) {
        got += answer.length
        if (got === TEXTS * SIZE) resolve()
        else if (got % SIZE === 0) socket.write('?')
      },
    },
  })
  await promise
  server.stop(true)
  edenGC()
  const young = heapStats().extraMemorySize - before
  fullGC()
  const whole = heapStats().extraMemorySize - before
  return [young, whole].map(bytes => Math.max(0, bytes / (TEXTS * SIZE)).toFixed(1))
}

const letter = 'x'.repeat(SIZE - 1)
const bytes = Buffer.alloc(SIZE, 'x')
const asText = await left((socket, n) => socket.write(letter + n, 'latin1'))
const asBytes = await left(socket => socket.write(bytes))
console.log(`bun ${Bun.version}: of what was sent is still counted`)
console.log(`text:  ${asText[0]} after a collection of young objects, ${asText[1]} after all`)
console.log(`bytes: ${asBytes[0]} after a collection of young objects`)
process.exit(asText[0] > 0.1 && asText[1] === '0.0' && asBytes[0] === '0.0' ? 0 : 1)
PROGRAM

npm install --silent --no-save --prefix "$folder" bun@1.4.5
timeout 60 "$folder/node_modules/bun/bin/bun.exe" "$folder/program.mjs"
