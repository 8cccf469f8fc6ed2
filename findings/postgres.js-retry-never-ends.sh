#!/usr/bin/env bash
# postgres (Postgres.js): after a reset of the connection, a query that is made at once never ends.
#
# Versions:  the npm package `postgres`, 3.4.9, on any Node; postgresql-15 and libpq5
#            15.20-0+deb12u1 of Debian 12 (bookworm), amd64, and their libraries libicu72
#            72.1-3+deb12u1, libldap-2.5-0 2.5.13+dfsg-5.
# Expected:  a query whose connection is lost rejects. The program tries again in its `catch`, the
#            client connects again, and the second try succeeds.
# Seen:      so it is if the connection ended, or if the second try comes a few milliseconds later.
#            But after ECONNRESET, in the `catch` itself, the second try neither succeeds nor
#            rejects. (It goes to the connection that has just failed, which still counts as busy.)
#            Queries behind it succeed on a new connection, so nothing but this one waits, for ever.
# Here:      `send` of `Requests` rejects with ERR_CLOSED if the connection is not open.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, 40 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own, and the server runs as one.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq postgresql-15=15.20-0+deb12u1 libpq5=15.20-0+deb12u1 \
    libicu72=72.1-3+deb12u1 libldap-2.5-0=2.5.13+dfsg-5
  for package in *.deb; do dpkg -x "$package" .; done
)
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" postgres@3.4.9 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import postgres from 'postgres'

const folder = process.argv[2]
const data = `${folder}/data`
mkdirSync(data, { mode: 0o700 })
// The server does not run as root.
const user = process.getuid() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534'] : []
if (user.length > 0) {
  user.push('--clear-groups')
  chownSync(data, 65534, 65534)
}
const LD_LIBRARY_PATH = `${folder}/usr/lib/x86_64-linux-gnu`
const env = { ...process.env, HOME: data, LD_LIBRARY_PATH }
function command(program, ...rest) {
  const path = `${folder}/usr/lib/postgresql/15/bin/${program}`
  const [file, ...argv] = [...user, path, '-D', `${data}/d`, ...rest]
  return [file, argv, { env, cwd: data, stdio: 'ignore' }]
}
const share = `${folder}/usr/share/postgresql/15`
const make = ['-U', 'u', '-A', 'trust', '-N', '-L', share, '-E', 'UTF8', '--locale=C.UTF-8']
spawnSync(...command('initdb', ...make))
const server = spawn(...command('postgres', '-k', data, '-c', 'listen_addresses='))

// A relay in front of it. It loses the connection in place of the next answer.
let lose
const relay = createServer(client => {
  const inner = connect(`${data}/.s.PGSQL.5432`)
  for (const socket of [client, inner]) socket.on('error', () => {})
  client.on('data', bytes => inner.write(bytes)).on('close', () => inner.destroy())
  inner.on('close', () => client.destroy()).on('data', bytes => {
    if (!lose) return client.write(bytes)
    client[lose]()
    lose = undefined
  })
})
relay.listen(0, '127.0.0.1')
await once(relay, 'listening')

function started() {
  const { port } = relay.address()
  return postgres({ host: '127.0.0.1', port, user: 'u', database: 'postgres', max: 1 })
}

for (let tries = 0; tries < 100; tries++) {
  const sql = started()
  const up = await sql`SELECT 0`.then(() => true, () => false)
  sql.end({ timeout: 0 })
  if (up) break
  await wait(100)
}

const outcome = query => query.then(([row]) => row.n, error => error.code)

/** The first try, whose connection is lost so; the second, that long after it; and a third. */
async function run(how, delay) {
  const sql = started()
  await sql`SELECT 0`
  lose = how
  const first = await outcome(sql`SELECT 1 AS n`)
  if (delay) await wait(delay)
  const second = outcome(sql`SELECT 2 AS n`)
  const seen = await Promise.race([second, wait(5000, 'pending')])
  const third = await outcome(sql`SELECT 3 AS n`)
  sql.end({ timeout: 0 })
  return `${first}, ${seen}, ${third}`
}

let ok = false
try {
  const seen = {
    reset: await run('resetAndDestroy', 0),
    'reset, 50 ms': await run('resetAndDestroy', 50),
    end: await run('end', 0),
  }
  console.log(seen)
  ok =
    seen.reset === 'ECONNRESET, pending, 3' &&
    seen['reset, 50 ms'] === 'ECONNRESET, 2, 3' &&
    seen.end === 'CONNECTION_CLOSED, 2, 3'
} finally {
  server.kill('SIGINT')
  await once(server, 'exit')
}
process.exit(ok ? 0 : 1)
PROGRAM

cd "$folder" && timeout 90 node program.mjs "$folder"
