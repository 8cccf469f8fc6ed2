#!/usr/bin/env bash
# redis (node-redis): a consumer whose pending entry was trimmed cannot read what is pending any
# more.
#
# Versions:  the npm package `redis` 6.3.1; redis-server (redis-tools) 5:7.0.15-1~deb12u10 of Debian
#            12 (bookworm), amd64, and its libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3.
# Expected:  XREADGROUP with the id 0 returns an entry that was delivered and then deleted, or
#            trimmed by MAXLEN, as its id and null. The client passes it on: with null, without
#            fields, or not at all. (Its `xClaim` and `xAutoClaim` leave such entries out.)
# Seen:      `xReadGroup` rejects with "TypeError: Cannot read properties of null (reading
#            'length')", with RESP3 and RESP2. The other entries of that reply are lost with it, and
#            it happens again at each restart: the usual loop "first what is pending" never gets
#            beyond it.
# Here:      `xreadgroup` of src/protocols/redis gives an entry without fields; acknowledge it.
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

const seen = []
for (const RESP of [3, 2]) {
  const client = createClient({ socket: { path }, RESP })
  client.on('error', error => console.error(error))
  await client.connect()
  await client.del('jobs')
  await client.xAdd('jobs', '*', { number: '1' })
  await client.xGroupCreate('jobs', 'group', '0')
  await client.xReadGroup('group', 'me', { key: 'jobs', id: '>' })
  // A second entry, and the stream keeps one: the first is trimmed, and still pending.
  await client.sendCommand(['XADD', 'jobs', 'MAXLEN', '1', '*', 'number', '2'])
  await client.xReadGroup('group', 'me', { key: 'jobs', id: '>' })
  const pending = client.xReadGroup('group', 'me', { key: 'jobs', id: '0' })
  seen.push(await pending.then(JSON.stringify, error => `${error.name}: ${error.message}`))
  console.log(`RESP${RESP}: ${seen.at(-1)}`)
  client.destroy()
}
process.exit(seen.every(text => text.startsWith('TypeError')) ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs "$folder"
