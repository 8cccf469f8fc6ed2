#!/usr/bin/env bash
# yapople, mailpop3: a line of a mail that begins with a dot arrives with two.
#
# Versions:  the npm packages `yapople`, 0.4.10, and `mailpop3`, 0.1.0, on any Node; poplib of
#            python3.
# Expected:  a POP3 server puts a dot in front of each line that begins with one, so that a line of
#            a dot alone can end the mail, and the client takes it off (RFC 1939, section 3). So
#            does poplib.
# Seen:      both leave it on: ".net" becomes "..net", and a file that was attached as text is
#            another file. They also leave out the last line end. So no hash of the body is right
#            (DKIM, S/MIME), and what is passed on by SMTP gets one more dot at each such station.
#            Mails of which no line begins with a dot differ by the last line end alone, so a test
#            that looks at the text finds nothing.
# Here:      a POP3 client on sluice reads lines up to "." and takes the first dot off.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  yapople@0.4.10 mailpop3@0.1.0 >/dev/null

cat >"$folder/poplib.py" <<'PROGRAM'
import json, sys
sys.path.pop(0)
import poplib

client = poplib.POP3("127.0.0.1", int(sys.argv[1]), 20)
client.user("a")
client.pass_("b")
lines = client.retr(1)[1]
client.quit()
print(json.dumps("".join(line.decode() + "\r\n" for line in lines)))
PROGRAM

cat >"$folder/program.cjs" <<'PROGRAM'
const { execFile } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')
const { createInterface } = require('node:readline')
const { promisify } = require('node:util')
const Mailpop3 = require('mailpop3')
const { Client: Yapople } = require('yapople')

const MAIL = 'Subject: x\r\n\r\nfirst\r\n.net\r\n.\r\nlast\r\n'

const server = net.createServer(socket => {
  socket.write('+OK\r\n')
  createInterface({ input: socket }).on('line', line => {
    const [command] = line.toUpperCase().split(' ')
    if (command === 'QUIT') socket.end('+OK\r\n')
    else if (command === 'RETR') socket.write(`+OK\r\n${MAIL.replace(/^\./gm, '..')}.\r\n`)
    else if (command === 'CAPA') socket.write('+OK\r\n.\r\n')
    else socket.write('+OK 1 40\r\n')
  })
})

async function yapople(port) {
  const client = new Yapople({ host: '127.0.0.1', port, username: 'a', password: 'b' })
  await client.connect()
  const mail = await client.retrieve(1)
  await client.quit()
  return mail.toString()
}

async function mailpop3(port) {
  const client = new Mailpop3(port, '127.0.0.1', { tlserrs: false, enabletls: false })
  await once(client, 'connect')
  client.login('a', 'b')
  await once(client, 'login')
  client.retr(1)
  const [, , mail] = await once(client, 'retr')
  client.quit()
  return mail
}

async function poplib(port) {
  const { stdout } = await promisify(execFile)('python3', ['poplib.py', String(port)])
  return JSON.parse(stdout)
}

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const dotted = MAIL.replace(/^\./gm, '..').trimEnd()
  let same = true
  for (const [client, expected] of [
    [poplib, MAIL],
    [yapople, dotted],
    [mailpop3, dotted],
  ]) {
    const mail = await client(server.address().port)
    console.log(client.name.padEnd(8), JSON.stringify(mail))
    same &&= mail === expected
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
