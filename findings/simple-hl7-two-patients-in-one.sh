#!/usr/bin/env bash
# simple-hl7: of two messages that arrive together the second becomes a part of the first.
#
# Versions:  the npm package `simple-hl7`, 3.3.0, on any Node.
# Expected:  MLLP frames a message by VT and FS CR, so a server cuts the stream there, however TCP
#            has joined or cut it. A client that writes two results, and reads two answers behind
#            them, gets AA for both.
# Seen:      the server looks only at the end of what has come. Two messages in one segment are one
#            message to the handler: it has the header of the first, and the segments of both, so
#            the laboratory values of the second patient stand below the name of the first. There is
#            one answer, AA for the first. If each comes by itself all is well, so a test finds
#            nothing; a client that connects again and sends what it has kept meanwhile does.
# Here:      a delimiter, or a class with `cut()`, gives each message by itself.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  simple-hl7@3.3.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const hl7 = require('simple-hl7')

const message = (id, patient, value) =>
  `\x0bMSH|^~\\&|LAB|A|APP|B|20261128||ORU^R01|${id}|P|2.3\r` +
  `PID|1||${patient}\rOBX|1|NM|K||${value}\r\x1c\r`
const both = [message('M1', 'anna', '4.1'), message('M2', 'bert', '6.9')]

let handled = []
const app = hl7.tcp()
app.use((request, response) => {
  const fields = (name, index) =>
    request.msg
      .getSegments(name)
      .map(segment => segment.getField(index))
      .join('+')
  const { header } = request.msg
  handled.push([header.getField(8), fields('PID', 3), fields('OBX', 5)].join(' '))
  response.end()
})

/** What the handler and the client see, of all messages in these writes. */
async function sent(port, writes) {
  handled = []
  const socket = net.connect(port, '127.0.0.1').setEncoding('latin1')
  let answers = ''
  socket.on('data', text => (answers += text))
  const acknowledged = () => [...answers.matchAll(/MSA\|AA\|(\w+)/g)].map(match => match[1])
  for (const [index, text] of writes.entries()) {
    socket.write(text)
    while (acknowledged().length <= index) await once(socket, 'data')
  }
  // A message by itself behind them: its answer is the last one.
  socket.write(message('M3', 'cora', '5.0'))
  while (!acknowledged().includes('M3')) await once(socket, 'data')
  socket.destroy()
  return `${handled.join(', ')}; answers for ${acknowledged().join(', ')}`
}

async function main() {
  const { server } = app.start(0)
  await once(server, 'listening')
  const { port } = server.address()
  const results = [await sent(port, both), await sent(port, [both.join('')])]
  console.log('one by one:', results[0])
  console.log('together:  ', results[1])
  const expected = [
    'M1 anna 4.1, M2 bert 6.9, M3 cora 5.0; answers for M1, M2, M3',
    'M1 anna+bert 4.1+6.9, M3 cora 5.0; answers for M1, M3',
  ]
  process.exit(results.join() === expected.join() ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
