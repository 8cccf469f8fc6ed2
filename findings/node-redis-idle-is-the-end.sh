#!/usr/bin/env bash
# redis (node-redis): with a `socketTimeout`, a client that has nothing to do closes for good.
#
# Versions:  the npm package `redis` 6.3.1; redis-server (redis-tools) 5:7.0.15-1~deb12u10 of Debian
#            12 (bookworm), amd64, and its libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3.
# Expected:  `socketTimeout` finds dead connections: the socket is closed when nothing came for that
#            long, and the client connects again, as it does after every other loss.
# Seen:      it counts idle time as well, when no reply is due; and of all losses this is the one
#            after which the client does not connect again. A program without work for that long, at
#            night, has a closed client from then on: each command rejects with "The client is
#            closed". (With a shorter `pingInterval`, or a `reconnectStrategy` of one's own, it goes
#            on.)
# Here:      src/protocols/redis has no such setting: `timeout` is for replies that are due.
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

const seen = {}
for (const [name, more] of [
  ['as it is', {}],
  ['with pings', { pingInterval: 100 }],
]) {
  const client = createClient({ socket: { path, socketTimeout: 500 }, ...more })
  client.on('error', () => {})
  await client.connect()
  const before = await client.ping()
  await sleep(2000)
  const after = await client.ping().catch(({ message }) => message)
  seen[name] = `${before}, after two idle seconds: ${after}`
  if (client.isOpen) client.destroy()
}
console.log(seen)
const ends = seen['as it is'] === 'PONG, after two idle seconds: The client is closed'
process.exit(ends && seen['with pings'].endsWith(': PONG') ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs "$folder"
