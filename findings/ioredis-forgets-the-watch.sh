#!/usr/bin/env bash
# ioredis: after a loss of the connection, EXEC runs although a watched key has changed.
#
# Versions:  the npm package `ioredis` 6.0.0; redis-server (redis-tools) 5:7.0.15-1~deb12u10 of
#            Debian 12 (bookworm), amd64, and its libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3.
# Expected:  WATCH, read, MULTI … EXEC changes a key only if nobody else has. If the connection is
#            lost in between, and with it the watch, `exec` rejects or gives null. (node-redis 6
#            rejects: "Client reconnected after WATCH".)
# Seen:      the client connects again by itself and sends MULTI and EXEC on a connection that
#            watches nothing: they succeed, and what another client has written meanwhile is
#            overwritten. Nothing in the replies tells the program.
# Here:      src/protocols/redis refuses that transaction (ERR_WATCHED).
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

npm install --silent --no-audit --no-fund --no-save --prefix "$folder" ioredis@6.0.0 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { spawn } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import Redis from 'ioredis'

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

const [client, other] = [new Redis(path), new Redis(path)]
client.on('error', error => console.error(error))
await other.set('balance', '10')
const id = await client.client('ID')
await client.watch('balance')
const before = Number(await client.get('balance'))
// The connection is lost, as by a network or a proxy; then somebody else takes 9.
await other.client('KILL', 'ID', id)
await other.set('balance', '1')
await sleep(1000)
const replies = await client
  .multi()
  .set('balance', before - 5)
  .exec()
const value = await other.get('balance')
console.log('EXEC:', JSON.stringify(replies), 'balance:', value)
client.disconnect()
other.disconnect()
process.exit(replies?.[0][1] === 'OK' && value === '5' ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs "$folder"
