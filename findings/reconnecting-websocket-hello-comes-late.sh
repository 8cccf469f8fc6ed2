#!/usr/bin/env bash
# reconnecting-websocket, partysocket: what was queued is sent before the handler of `open` runs.
#
# Versions:  the npm packages `reconnecting-websocket`, 4.4.0, `partysocket`, 1.3.0, and `ws`,
#            8.23.0, on any Node.
# Expected:  a handler of `open` sends "hello" (a login, a subscription), as it does with the
#            WebSocket that they replace, where nothing can be sent before. What the program has
#            sent while there was no connection goes behind it.
# Seen:      the other way round, at the first connection and at each later one: the queue is sent,
#            then `open` is told. A server that wants the login first refuses or drops those
#            messages. While the connection is up the queue is empty, so a test that loses no
#            connection finds nothing.
# Here:      what is written while a Client of sluice connects goes out before what `on_connect`
#            writes, too, as its chapter says. After a loss nothing is queued: `write` is false.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  reconnecting-websocket@4.4.0 partysocket@1.3.0 ws@8.23.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { WebSocket, WebSocketServer } = require('ws')

const clients = {
  'reconnecting-websocket': require('reconnecting-websocket'),
  partysocket: require('partysocket/ws').default,
}

async function run(Client) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const seen = []
  const done = new Promise(resolve => {
    server.on('connection', socket => {
      const texts = []
      seen.push(texts)
      socket.on('message', data => {
        if (texts.push(String(data)) < 2) return
        // The first connection is lost after two messages.
        socket.terminate()
        if (seen.length === 2) resolve()
      })
    })
  })
  const options = { WebSocket, minReconnectionDelay: 20, maxReconnectionDelay: 20 }
  const client = new Client(`ws://127.0.0.1:${server.address().port}`, [], options)
  client.addEventListener('open', () => client.send('hello'))
  client.addEventListener('close', () => seen.length === 1 && client.send('lost: sent later'))
  client.send('sent early')
  await done
  client.close()
  server.close()
  return seen
}

async function main() {
  let same = true
  for (const [name, Client] of Object.entries(clients)) {
    const seen = await run(Client)
    console.log(`${name}: the server got`, seen)
    same &&= String(seen) === 'sent early,hello,lost: sent later,hello'
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 30 node program.cjs
