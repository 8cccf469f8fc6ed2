#!/usr/bin/env bash
# json-stream: a message is given twice if its line end comes in the next chunk.
#
# Versions:  the npm package `json-stream`, 1.0.0, on any Node.
# Expected:  each line is one object, however the stream is cut into chunks.
# Seen:      at the end of each chunk it tries what is there, and gives it if it is JSON; but it
#            keeps it as well, and gives it again when the line end has come. So an object is given
#            twice if a chunk ends right in front of its line end. A number that is cut is given as
#            another one too: 1234 in two halves is 12, then 1234. If line end and object come
#            together, as they mostly do, all is well. A program that counts events, or books what
#            comes, does so twice now and then.
# Here:      a delimiter gives each line once, when it is whole.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  json-stream@1.0.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const createJsonStream = require('json-stream')

/** Many turns of the event loop: what was written has been read by then, however busy it is. */
async function turns() {
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setTimeout(resolve, 2))
}

/** What comes out at the other end of a connection on which that is written. */
async function read(writes) {
  const server = net.createServer(async socket => {
    for (const text of writes) {
      socket.write(text)
      await turns()
    }
    socket.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = net.connect(server.address().port, '127.0.0.1').setNoDelay()
  const seen = []
  for await (const value of client.pipe(createJsonStream())) seen.push(JSON.stringify(value))
  server.close()
  return seen.join(' ')
}

const cases = [
  [['{"pay":1}\n{"pay":2}\n'], '{"pay":1} {"pay":2}'],
  [['{"pay":1}\n{"pa', 'y":2}\n'], '{"pay":1} {"pay":2}'],
  [['{"pay":1}\n{"pay":2}', '\n'], '{"pay":1} {"pay":2} {"pay":2}'],
  [['12', '34\n'], '12 1234'],
]
async function main() {
  let same = true
  for (const [writes, expected] of cases) {
    const seen = await read(writes)
    console.log(JSON.stringify(writes), 'is read as', seen)
    same &&= seen === expected
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
