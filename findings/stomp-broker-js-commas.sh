#!/usr/bin/env bash
# stomp-broker-js: an empty line in a message becomes a comma.
#
# Versions:  the npm packages `stomp-broker-js`, 1.3.0, `@stomp/stompjs`, 7.5.0, and `ws`, 8.23.0,
#            on any Node.
# Expected:  a frame of STOMP has its headers up to the first empty line; what follows is the body,
#            and the broker passes it on as it is (STOMP 1.2, "STOMP Frames").
# Seen:      the broker splits the frame at each empty line, and makes one text of the parts again
#            as JavaScript does with a list: "first\n\nsecond" arrives as "first,second". A mail, a
#            text in Markdown, and an HTTP message lose their form; JSON of a program has no empty
#            lines, and is right, so a test with that finds nothing. And the length that it writes
#            counts characters, not bytes, so a client that reads bytes loses the end of a text with
#            umlauts.
# Here:      nothing of sluice takes a message apart that has come whole.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  stomp-broker-js@1.3.0 @stomp/stompjs@7.5.0 ws@8.23.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const http = require('node:http')
const { Client } = require('@stomp/stompjs')
const Broker = require('stomp-broker-js')
const { WebSocket } = require('ws')

function connected(brokerURL) {
  const client = new Client({
    webSocketFactory: () => new WebSocket(brokerURL),
    reconnectDelay: 0,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
  })
  return new Promise(resolve => {
    client.onConnect = () => resolve(client)
    client.activate()
  })
}

async function main() {
  const server = http.createServer()
  const broker = new Broker({ server, path: '/ws' })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `ws://127.0.0.1:${server.address().port}/ws`
  const subscriber = await connected(url)
  const publisher = await connected(url)

  let arrived
  const subscribed = once(broker, 'subscribe')
  subscriber.subscribe('/topic/a', message => arrived(message.body))
  await subscribed

  const expected = {
    'one line': 'one line',
    'two\nlines': 'two\nlines',
    'first\n\nsecond': 'first,second',
    'a\n\n\n\nb': 'a,,b',
    größe: 'grö\ufffd',
  }
  let same = true
  for (const [body, wrong] of Object.entries(expected)) {
    const message = new Promise(resolve => (arrived = resolve))
    publisher.publish({ destination: '/topic/a', body })
    const seen = await message
    console.log(JSON.stringify(body), 'arrives as', JSON.stringify(seen))
    same &&= seen === wrong
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
