#!/usr/bin/env bash
# jayson: over TCP, a server that ends without an answer is a success to the client.
#
# Versions:  the npm package `jayson`, 5.0.0, on any Node.
# Expected:  a request whose connection ends before the answer has come, or in the middle of it, has
#            failed: `callback(error)`, as after a reset, and as over HTTP.
# Seen:      the callback is called without an error and without a response. A server that is
#            stopped ends its connections in this way, so work that nobody did counts as done, and
#            the usual `if (error)` finds nothing. With three parameters, `(error, failure,
#            result)`, all three are undefined. (The promise of jayson/promise resolves with
#            undefined.)
# Here:      `send` of `Requests` rejects with ERR_CLOSED, and repeats nothing.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" jayson@5.0.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const http = require('node:http')
const net = require('node:net')
const { Client } = require('jayson')
const promised = require('jayson/promise')

const answer = id => JSON.stringify({ jsonrpc: '2.0', id, result: 'done' }) + '\n'
const servers = {
  answers: (socket, id) => socket.end(answer(id)),
  ends: socket => socket.end(),
  'ends in the middle': (socket, id) => socket.end(answer(id).slice(0, 20)),
  resets: socket => socket.resetAndDestroy(),
}

async function run(server, connect) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const seen = await connect({ port: server.address().port, host: '127.0.0.1' })
  server.close()
  return seen
}

const callback = type => options =>
  new Promise(resolve =>
    Client[type](options).request('pay', [5], (error, response) =>
      resolve(error ? 'error' : (response?.result ?? 'no error, no response')),
    ),
  )
const promise = options =>
  promised.Client.tcp(options)
    .request('pay', [5])
    .then(response => response?.result ?? 'resolved, no response', () => 'error')

async function main() {
  const seen = {}
  for (const [name, act] of Object.entries(servers)) {
    const tcp = () =>
      net.createServer(socket => {
        socket.on('error', () => {})
        socket.once('data', data => act(socket, JSON.parse(data).id))
      })
    seen[name] = [await run(tcp(), callback('tcp')), await run(tcp(), promise)]
  }
  const web = http.createServer(request => request.socket.end())
  seen['HTTP, ends'] = [await run(web, callback('http'))]
  console.log(seen)
  const ok =
    JSON.stringify(Object.values(seen)) ===
    JSON.stringify([
      ['done', 'done'],
      ['no error, no response', 'resolved, no response'],
      ['no error, no response', 'resolved, no response'],
      ['error', 'error'],
      ['error'],
    ])
  process.exit(ok ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 30 node program.cjs
