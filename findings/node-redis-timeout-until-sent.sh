#!/usr/bin/env bash
# redis (node-redis): the timeout of a command ends when the command is sent.
#
# Versions:  the npm package `redis` 6.3.1; redis-server (redis-tools) 5:7.0.15-1~deb12u10 of Debian
#            12 (bookworm), amd64, and its libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3.
# Expected:  with `commandOptions: { timeout: 200 }`, "Timeout for the command in milliseconds", a
#            command that has no reply after 200 ms rejects.
# Seen:      it waits as long as the server does. What the timeout bounds is the time before the
#            command is written to the socket; then it is taken off. So it is of no use against a
#            server that stands still, which is what it is set for: GET to a paused server takes the
#            whole two seconds, and to one that hangs it never ends. (An AbortSignal is taken off in
#            the same way.)
# Here:      `timeout` of src/protocols/redis is for the reply.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, Node 20, 20 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq redis-tools=5:7.0.15-1~deb12u10 libjemalloc2=5.3.0-1 liblzf1=3.6-3
  for package in *.deb; do dpkg -x "$package" .; done
)

npm install --silent --no-audit --no-fund --no-save --prefix "$folder" redis@6.3.1 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { spawn } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'

const folder = process.argv[2]
const path = `${folder}/redis.sock`
// What it is depends on its name.
symlinkSync(`${folder}/usr/bin/redis-check-rdb`, `${folder}/redis-server`)
const options = ['--port', '0', '--unixsocket', path, '--save', '']
const server = spawn(`${folder}/redis-server`, options, {
  env: { LD_LIBRARY_PATH: `${folder}/usr/lib/x86_64-linux-gnu` },
  cwd: folder,
  stdio: 'ignore',
})
process.on('exit', () => server.kill())
process.on('SIGTERM', () => process.exit(1))
for (let i = 0; i < 200 && !existsSync(path); i++) await sleep(50)

const client = createClient({ socket: { path }, commandOptions: { timeout: 200 } })
client.on('error', error => console.error(error))
await client.connect()
await client.set('key', 'value')
// For two seconds the server answers nobody.
await client.sendCommand(['CLIENT', 'PAUSE', '2000', 'ALL'])
const start = performance.now()
const result = await client.get('key').catch(({ name }) => name)
const took = performance.now() - start
console.log(`GET with a timeout of 200 ms: ${result} after ${took.toFixed()} ms`)
client.destroy()
process.exit(result === 'value' && took > 1500 ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs "$folder"
