#!/usr/bin/env bash
# axon: a message of sixteen arguments ends all sense on its connection.
#
# Versions:  the npm packages `axon`, 2.0.3, with `amp`, 0.3.1, which it installs, on any Node.
# Expected:  `push.send(...)` with "multiple arguments or an array of arguments" arrives with the
#            same arguments, however many. Or it throws.
# Seen:      the number of arguments is written into four bits. Fifteen arrive. Of sixteen the
#            number is 0, of seventeen it is 1: the receiver gets that many, takes the rest for
#            further messages, and is out of step from then on. It gives messages that nobody has
#            sent, and none of those that were sent behind. Neither end has an error, or closes. So
#            a program that sends a list as its arguments works until the list is long.
# Here:      a Struct refuses a number that its field cannot hold (ERR_STRUCT).
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  axon@2.0.3 amp@0.3.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const axon = require('axon')

const list = (name, length) => Array.from({ length }, (_, index) => name + index)

/** Many turns of the event loop: what was written has been read by then, however busy it is. */
async function turns() {
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setTimeout(resolve, 2))
}

/** What a receiver gets of a message with that many arguments, and of two behind it. */
async function received(length) {
  const [push, pull] = [axon.socket('push'), axon.socket('pull')]
  push.bind(0, '127.0.0.1')
  await once(push, 'bind')
  pull.connect(push.server.address().port, '127.0.0.1')
  const connected = once(push, 'connect')
  await connected
  const seen = []
  pull.on('message', (...parts) => seen.push(`${parts.length} ${parts[0] ?? ''}`.trim()))
  push.send(...list('a', length))
  push.send('b')
  push.send('c')
  await turns()
  push.close()
  pull.close()
  return seen
}

async function main() {
  const fifteen = await received(15)
  console.log('15 arguments, then b, then c:', fifteen)
  const seventeen = await received(17)
  console.log('17 arguments, then b, then c:', seventeen)
  const right = fifteen.join() === '15 a0,1 b,1 c'
  const lost = seventeen[0] === '1 a0' && !seventeen.includes('1 b') && !seventeen.includes('1 c')
  process.exit(right && lost ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
