#!/usr/bin/env bash
# eventsource: an id that comes without data is forgotten, so what was seen is sent again.
#
# Versions:  the npm packages `eventsource`, 4.1.1, and `undici`, 7.30.2, on any Node.
# Expected:  a server of events moves the client's place on without an event: `id: 9` and an empty
#            line, after events that this client was not to see. HTML's rules set the last id before
#            they look whether there is data, so the next connection has `Last-Event-ID: 9`. So it
#            is with the EventSource of undici.
# Seen:      eventsource asks with the id of the last event that it has given to the program. A
#            server that replays from there does all its work again, or sends what it had passed
#            over. (Its parser hands on an id only together with data.) With an id in each event, as
#            in most tests, nothing shows.
# Here:      a sluice client of such a stream keeps the id when its line comes.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  eventsource@4.1.1 undici@7.30.2 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { EventSource } from 'eventsource'
import * as undici from 'undici'

async function run(Source) {
  const seen = []
  let done
  const again = new Promise(resolve => (done = resolve))
  const server = createServer((request, response) => {
    seen.push(request.headers['last-event-id'] ?? 'none')
    // 204 tells the client to stay away.
    if (seen.length > 1) return response.writeHead(204).end(done)
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.end('retry: 10\n\nid: 1\ndata: first\n\nid: 9\n\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const source = new Source(`http://127.0.0.1:${server.address().port}/`)
  await again
  source.close()
  server.close()
  server.closeAllConnections()
  return seen
}

const seen = await run(EventSource)
const right = await run(undici.EventSource)
console.log('Last-Event-ID by eventsource:', seen, 'by undici:', right)
process.exit(String(seen) === 'none,1' && String(right) === 'none,9' ? 0 : 1)
PROGRAM

cd "$folder" && timeout 30 node program.mjs
