#!/usr/bin/env bash
# Deno: `child.kill()` of node:child_process sends one signal, and no second.
#
# Versions:  the npm packages `deno`, 2.9.6, and `node`, 26.10.0, on Linux.
# Expected:  as in Node: a child that handles SIGTERM gets one for each `child.kill('SIGTERM')`, and
#            each returns true. `child.signalCode` is null while it runs, and afterwards too if it
#            has ended by itself.
# Seen:      the first call sets `signalCode`, although the child goes on. The second returns false,
#            and the child never gets it. So "ask politely, then once more" leaves it running.
#            `process.kill(child.pid, 'SIGTERM')` sends both.
# Here:      the tests of the commands send by `process.kill`.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  deno@2.9.6 node@26.10.0 >/dev/null

cat >"$folder/child.mjs" <<'PROGRAM'
import process from 'node:process'
let count = 0
process.on('SIGTERM', () => {
  console.log(`got ${++count}`)
  if (count === 2) process.exit(7)
})
setTimeout(() => process.exit(8), 5000)
console.log('ready')
PROGRAM

cat >"$folder/parent.mjs" <<'PROGRAM'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
const child = spawn('node_modules/node/bin/node', ['child.mjs'])
let out = ''
child.stdout.on('data', chunk => (out += chunk))
const said = async text => {
  while (!out.includes(text)) await once(child.stdout, 'data')
}
const closed = once(child, 'close')
await said('ready')
const first = child.kill('SIGTERM')
await said('got 1')
const { signalCode } = child
const second = child.kill('SIGTERM')
await closed
console.log(JSON.stringify([first, signalCode, second, out.includes('got 2')]))
PROGRAM

cd "$folder"
node=$(timeout 30 node_modules/node/bin/node parent.mjs)
deno=$(timeout 30 node_modules/deno/deno run --allow-all --no-lock parent.mjs)
echo "first sent, signalCode then, second sent, second arrived"
echo "Node: $node"
echo "Deno: $deno"
[ "$node" = '[true,null,true,true]' ] && [ "$deno" = '[true,"SIGTERM",false,false]' ]
