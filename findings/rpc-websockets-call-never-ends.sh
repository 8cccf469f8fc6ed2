#!/usr/bin/env bash
# rpc-websockets: a call whose connection is lost never ends, though the client connects again.
#
# Versions:  the npm packages `rpc-websockets`, 10.0.1, and `ws`, 8.23.0, on any Node.
# Expected:  `await client.call('pay')` rejects if the connection is lost before the answer has
#            come: the next connection cannot bring it. (A call that is made while there is no
#            connection does reject.)
# Seen:      it stays pending for ever. It is neither sent again nor told of, while later calls on
#            the new connection succeed. So one loss leaves as many parts of a program waiting as
#            had a call under way. There is a timeout for a call, off by default.
# Here:      `send` of `Requests` rejects with ERR_CLOSED, and repeats nothing.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  rpc-websockets@10.0.1 ws@8.23.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { Client } = require('rpc-websockets')
const { WebSocketServer } = require('ws')

async function main() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const got = []
  server.on('connection', socket =>
    socket.on('message', data => {
      const { id, method } = JSON.parse(data)
      got.push(method)
      if (method === 'pay') socket.terminate()
      else socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: method }))
    }),
  )
  const options = { reconnect_interval: 50, max_reconnects: 0 }
  const client = new Client(`ws://127.0.0.1:${server.address().port}`, options)
  await new Promise(resolve => client.once('open', resolve))

  const lost = new Promise(resolve => client.once('close', resolve))
  const opened = new Promise(resolve => client.once('open', resolve))
  let state = 'pending'
  client.call('pay').then(() => (state = 'resolved'), () => (state = 'rejected'))
  await lost
  const away = await client.call('away').catch(error => error.message)
  await opened
  const later = await client.call('later')
  // It has had the time of a whole call on the new connection, and two seconds.
  await new Promise(resolve => setTimeout(resolve, 2000))
  console.log({ 'the lost call': state, away, later, 'the server got': got })
  const ok = state === 'pending' && away === 'socket not ready' && later === 'later'
  process.exit(ok && String(got) === 'pay,later' ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 30 node program.cjs
