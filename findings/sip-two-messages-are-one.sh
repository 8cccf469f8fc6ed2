#!/usr/bin/env bash
# sip: of two messages that come by way of IPv6 the second is never seen, and is answered with 200.
#
# Versions:  the npm package `sip`, 0.0.6, on any Node.
# Expected:  each proxy writes its address into a Via line, that of IPv6 in brackets; the branch
#            behind it is what tells one request from a repetition of another (RFC 3261, 7.1 and
#            17.2.3). A server answers each request once, with the Via lines as they came.
# Seen:      the address is read up to its first colon, "[2001", and what is behind it is dropped:
#            the branch too. So a call has one request of each method for half a minute: the second
#            MESSAGE is taken for a repetition of the first, and gets the answer of that, a 200 with
#            the CSeq 1. The program never sees it. The sender cannot find its own branch in either
#            answer. It needs no IPv6 on the machine: the line may be of any proxy on the way.
# Here:      an address is a field of its own, `[host, port]`, and no colon ends it.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  sip@0.0.6 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const sip = require('sip')

/** A port that was free a moment ago: `sip` takes a number, and not 0. */
async function freePort() {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

const message = (via, call, number, text) =>
  [
    'MESSAGE sip:bob@b.example SIP/2.0',
    `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-${number};rport`,
    'Max-Forwards: 70',
    'To: <sip:bob@b.example>',
    'From: <sip:alice@a.example>;tag=1',
    `Call-ID: ${call}`,
    `CSeq: ${number} MESSAGE`,
    `Content-Length: ${text.length}`,
    '',
    text,
  ].join('\r\n')

async function main() {
  const port = await freePort()
  const seen = []
  const server = sip.create({ port, address: '127.0.0.1', tcp: false }, request => {
    seen.push(request.content)
    server.send(sip.makeResponse(request, 200, 'OK'))
  })
  const client = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(client, 'listening')
  const results = []
  for (const via of ['192.0.2.9:5060', '[2001:db8::9]:5060']) {
    seen.length = 0
    const answers = []
    for (const [number, text] of [
      [1, 'buy'],
      [2, 'do not buy'],
    ]) {
      client.send(message(via, `call of ${via.slice(0, 5)}`, number, text), port, '127.0.0.1')
      const [answer] = await once(client, 'message')
      const lines = answer.toString()
      const branch = /branch=z9hG4bK-(\d)/.exec(lines)?.[1]
      const [, status] = lines.split(' ')
      answers.push(`${status} for ${/CSeq: (\d)/.exec(lines)[1]} (branch ${branch})`)
    }
    results.push(`seen: ${seen.join(', ')}; answers: ${answers.join(', ')}`)
    console.log(`${via} - ${results.at(-1)}`)
  }
  const same =
    results[0] === 'seen: buy, do not buy; answers: 200 for 1 (branch 1), 200 for 2 (branch 2)' &&
    results[1] === 'seen: buy; answers: 200 for 1 (branch undefined), 200 for 1 (branch undefined)'
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
