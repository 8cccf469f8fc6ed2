#!/usr/bin/env bash
# websocket: its client with the interface of browsers drops every empty text that comes.
#
# Versions:  the npm package `websocket`, 1.0.35, on any Node.
# Expected:  an empty text is a message: in browsers `onmessage` is called with the data ''.
# Seen:      `w3cwebsocket` calls nothing. (It asks whether there is text, and '' is none to it.) So
#            a program that counts answers waits for ever. Its other client, and its server, tell of
#            empty texts.
# Here:      bench/peers sends none to this client. Who talks to it must not use empty texts.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" websocket@1.0.35 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { createHash } = require('node:crypto')
const { createServer } = require('node:net')
const { w3cwebsocket } = require('websocket')

/** Shakes hands, and sends three texts: 'a', '' and 'b'. */
const server = createServer(peer => {
  let head = ''
  peer.on('data', data => {
    head += data
    const key = /sec-websocket-key: *(\S+)[^]*\r\n\r\n/i.exec(head)?.[1]
    if (key === undefined) return
    head = ''
    const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
    const accept = createHash('sha1').update(key + guid).digest('base64')
    peer.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    peer.write(Buffer.from([0x81, 1, 0x61, 0x81, 0, 0x81, 1, 0x62]))
  })
})
server.listen(0, '127.0.0.1', () => {
  const socket = new w3cwebsocket(`ws://127.0.0.1:${server.address().port}/`)
  const got = []
  socket.onmessage = ({ data }) => {
    got.push(data)
    if (data !== 'b') return
    console.log(JSON.stringify(got))
    process.exit(String(got) === 'a,b' ? 0 : 1)
  }
})
PROGRAM
cd "$folder" && timeout 30 node program.cjs
