#!/usr/bin/env bash
# Deno: a TLS socket that is paused reads on, and keeps all that comes.
#
# Versions:  the npm packages `deno`, 2.9.6, and `node`, 26.10.0, on Linux.
# Expected:  a client that pauses its socket takes what the buffers hold, and the server's write of
#            30 MB waits (as over plain TCP, also on Deno).
# Seen:      over TLS the client has read all of it after a second, with nothing that listens for
#            'data', and the server is told that it has gone. So there is no backpressure, and a
#            peer that sends much fills the memory of whoever thinks it waits. `readStop` of the
#            handle of the TLS socket changes nothing; that of the socket below it does.
# Here:      src/io/runtimes/tls-flow stops what is below.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  deno@2.9.6 node@26.10.0 >/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
  -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null

cat >"$folder/client.mjs" <<'PROGRAM'
import net from 'node:net'
import process from 'node:process'
import tls from 'node:tls'
const [kind, port] = process.argv.slice(2)
const { connect } = kind === 'tls' ? tls : net
const client = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false })
client.pause()
setTimeout(() => {
  console.log(client.bytesRead)
  process.exit()
}, 2000)
PROGRAM

cat >"$folder/program.mjs" <<'PROGRAM'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import tls from 'node:tls'
import { promisify } from 'node:util'

const run = promisify(execFile)
async function read(kind, ...command) {
  const send = socket => socket.on('error', () => {}).write(Buffer.alloc(30_000_000))
  const options = { key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }
  const server = kind === 'tls' ? tls.createServer(options, send) : net.createServer(send)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const [program, ...args] = [...command, 'client.mjs', kind, String(server.address().port)]
  const { stdout } = await run(program, args, { timeout: 30_000 })
  server.close()
  console.log(`${kind}, ${command[0]}: ${stdout.trim()} bytes read while paused`)
  return Number(stdout)
}
const deno = ['node_modules/deno/deno', 'run', '--allow-all', '--no-lock']
const bounded = [
  await read('net', 'node_modules/node/bin/node'),
  await read('tls', 'node_modules/node/bin/node'),
  await read('net', ...deno),
]
const unbounded = await read('tls', ...deno)
process.exit(Math.max(...bounded) < 1_000_000 && unbounded === 30_000_000 ? 0 : 1)
PROGRAM

cd "$folder" && timeout 90 node program.mjs
