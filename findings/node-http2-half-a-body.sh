#!/usr/bin/env bash
# node:http2: a response that the server breaks off in the middle looks whole to the client.
#
# Versions:  the npm package `node`, 20.20.2 and 26.10.0, on Linux.
# Expected:  a server gives up a response of which a half has been sent: `response.destroy()`. With
#            node:http the client's `pipeline(response, file)` rejects (ECONNRESET).
# Seen:      with node:http2 it resolves: the stream ends as it does at the end of everything, with
#            half a file, and although the response has a Content-Length of twice as much. No
#            'aborted', no 'error'; `rstCode` is 0. `response.destroy(error)`, and `close` with any
#            code but 0 and 8 (CANCEL), reject. (The server tells of it by RST_STREAM with the code
#            NO_ERROR, and a client stream takes that and CANCEL for no error.) A server or a proxy
#            that gives up with CANCEL leaves half a file that looks whole as well.
# Here:      src/protocols has no HTTP/2; a transfer over it has to say itself where it ends.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  node@26.10.0 node20@npm:node@20.20.2 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import process from 'node:process'
import { pipeline } from 'node:stream/promises'

/** The ways to give up, by the path of the request. */
const ways = {
  destroy: response => response.destroy(),
  error: response => response.destroy(new Error('the disk is broken')),
  cancel: response => response.stream.close(http2.constants.NGHTTP2_CANCEL),
}

function respond(request, response) {
  response.on('error', () => {})
  response.writeHead(200, { 'content-length': '10' })
  response.write('half ')
  setTimeout(ways[request.url.slice(1)], 200, response)
}

async function started(module) {
  const server = module.createServer(respond).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${server.address().port}`
}

async function read(stream) {
  let body = ''
  try {
    await pipeline(stream, async chunks => {
      for await (const chunk of chunks) body += chunk
    })
    return `resolves with "${body}"`
  } catch {
    return 'rejects'
  }
}

const origin = await started(http)
const [response] = await once(http.get(`${origin}/destroy`), 'response')
const results = [await read(response)]
const session = http2.connect(await started(http2))
for (const way of ['destroy', 'cancel', 'error'])
  results.push(await read(session.request({ ':path': `/${way}` })))
console.log(process.version, results)
const half = 'resolves with "half "'
const expected = ['rejects', half, half, 'rejects']
process.exit(results.join() === expected.join() ? 0 : 1)
PROGRAM

cd "$folder"
# The package `node` fetches its program as a dependency of its own.
old=$(find node_modules/node20 -path '*bin/node' -type f | head -n 1)
timeout 30 "$old" program.mjs
timeout 30 node_modules/node/bin/node program.mjs
