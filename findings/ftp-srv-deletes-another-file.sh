#!/usr/bin/env bash
# ftp-srv: to delete the file "report -2" deletes the file "report".
#
# Versions:  the npm packages `ftp-srv`, 4.6.3, and `basic-ftp`, 6.2.6, on any Node.
# Expected:  what follows DELE, RNFR, RNTO and MKD is one name, up to the end of the line (RFC 959,
#            5.3.2): `client.remove('report -2')` deletes that file, or fails.
# Seen:      the server takes each word of a hyphen and one letter or digit for an option, of any
#            command but RETR, SIZE and STOR, and leaves it out. So the file without it is deleted,
#            renamed or made, and the answer is success: "250". The copy that was to go stays, and
#            the original is gone. With the word at the end, or in the middle; quotes are left out
#            as well. To send and to fetch such files works, so a test with those finds nothing.
# Here:      a server on sluice gets the line as it came, and takes it apart itself.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  ftp-srv@4.6.3 basic-ftp@6.2.6 >/dev/null
mkdir "$folder/root"

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { readdirSync, writeFileSync } = require('node:fs')
const net = require('node:net')
const { Client } = require('basic-ftp')
const FtpServer = require('ftp-srv')

const root = process.argv[2]
const list = () => readdirSync(root).sort().join(', ')
const quiet = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error'].map(level => [level, () => {}]),
)
quiet.child = () => quiet

async function main() {
  // The server cannot be asked for the port that it was given, so a free one is found first.
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  await new Promise(resolve => probe.close(resolve))

  const options = { url: `ftp://127.0.0.1:${port}`, anonymous: true, log: quiet }
  const server = new FtpServer(options)
  server.on('login', (_data, resolve) => resolve({ root }))
  await server.listen()
  const client = new Client(20_000)
  await client.access({ host: '127.0.0.1', port, user: 'a', password: 'b' })

  let same = true
  async function check(what, names, action, expected) {
    for (const name of names) writeFileSync(`${root}/${name}`, name)
    const before = list()
    await action()
    console.log(`${before} — ${what} — ${list()}`)
    same &&= list() === expected
  }
  await check(
    'remove "report -2"',
    ['report', 'report -2'],
    () => client.remove('report -2'),
    'report -2',
  )
  await check(
    'rename "draft -a of May" to "old"',
    ['draft -a of May', 'draft of May'],
    () => client.rename('draft -a of May', 'old'),
    'draft -a of May, old, report -2',
  )
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs "$folder/root"
