#!/usr/bin/env bash
# Node's global WebSocket: the first character of a text is lost if it is U+FEFF.
#
# Versions:  the npm packages `node`, 26.10.0 (its WebSocket is that of undici), and `ws`, 8.23.0.
# Expected:  a text message arrives as it was sent. U+FEFF is a character (ZERO WIDTH NO-BREAK
#            SPACE); what stands in a message is not a file that begins with a mark of its byte
#            order.
# Seen:      it is cut off: a message of that character alone comes as ''. So the text has another
#            length and another hash than at the sender, and a file that is sent in pieces of text
#            loses the character at each piece that happens to begin with it. `ws` gives what was
#            sent.
# Here:      WebSocketClient and the file of rooms for browsers keep it. For peers that are Node's
#            client send such text as bytes.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 130 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  node@26.10.0 ws@8.23.0 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { WebSocket as Ws, WebSocketServer } from 'ws'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, async () => {
  const seen = {}
  for (const [name, Client] of [['global', WebSocket], ['ws', Ws]]) {
    const client = new Client(`ws://127.0.0.1:${server.address().port}`)
    seen[name] = []
    client.onmessage = ({ data }) => seen[name].push(data.length)
    await new Promise(done => (client.onclose = done))
  }
  console.log(`node ${process.version}, lengths of the texts:`, seen)
  process.exit(`${seen.global}/${seen.ws}` === '5,0,6/6,1,6' ? 0 : 1)
})
server.on('connection', socket => {
  for (const text of ['\ufeffhello', '\ufeff', 'hello\ufeff']) socket.send(text)
  socket.close(1000)
})
PROGRAM

cd "$folder" && timeout 60 node_modules/node/bin/node program.mjs
