#!/usr/bin/env bash
# Deno: `fetch` sends a POST a second time if the connection breaks after the first.
#
# Versions:  the npm packages `deno`, 2.9.6, and `node`, 26.10.0, on Linux.
# Expected:  a POST that a server has read, and whose connection then ends without an answer,
#            rejects: whether it was done is not known, so the program decides (RFC 9110, 9.2.2: a
#            client should not repeat by itself what is not idempotent). So does Node's `fetch`.
# Seen:      on a connection that has had an answer before (keep-alive), Deno sends the POST again on
#            another one, body included, and resolves with the answer to that. The first one was
#            read to its end by then. So a server that dies or restarts while it works does the work
#            twice, and the program sees one success. On a connection's first request it rejects, so
#            a test with one request finds nothing.
# Here:      a server of requests on a `Stream` that Deno talks to knows them by an id of their own.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  deno@2.9.6 node@26.10.0 >/dev/null

cat >"$folder/client.mjs" <<'PROGRAM'
const url = `http://127.0.0.1:${globalThis.Deno ? Deno.args[0] : process.argv[2]}`
const said = []
for (const end of ['fin', 'reset', 'fin-at-once'])
  try {
    if (end !== 'fin-at-once') await (await fetch(`${url}/first`)).text()
    const response = await fetch(`${url}/${end}`, { method: 'POST', body: 'pay 5' })
    said.push(await response.text())
  } catch ({ name }) {
    said.push(name)
  }
console.log(said.join(' '))
PROGRAM

cat >"$folder/program.mjs" <<'PROGRAM'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { promisify } from 'node:util'

/** It answers, but for the first POST to each path: that one it reads whole, and leaves. */
const posts = []
const server = createServer(socket => {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', data => {
    text += data
    const [, method, path] = /^(\w+) (\S+)/.exec(text)
    if (!text.includes('\r\n\r\n') || (method === 'POST' && !text.endsWith('pay 5'))) return
    text = ''
    if (method === 'POST') posts.push(path)
    const isFirst = method === 'POST' && posts.filter(post => post === path).length === 1
    const close = path === '/first' ? '' : 'Connection: close\r\n'
    if (!isFirst) socket.write(`HTTP/1.1 200 OK\r\n${close}Content-Length: 4\r\n\r\npaid`)
    else if (path === '/reset') socket.resetAndDestroy()
    else socket.end()
  })
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const run = promisify(execFile)
async function ask(name, ...args) {
  posts.length = 0
  const { stdout } = await run(...args, { timeout: 30_000, cwd: process.argv[2] })
  console.log(`${name}: fetch says ${stdout.trim()}; the server has read ${posts.join(' ')}`)
  return `${stdout.trim()} ${posts.join(' ')}`
}
const program = ['client.mjs', String(server.address().port)]
const node = await ask('Node', 'node_modules/node/bin/node', program)
const args = ['run', '--allow-net', '--no-lock', ...program]
const deno = await ask('Deno', 'node_modules/deno/deno', args)
const once_ = '/fin /reset /fin-at-once'
const twice = '/fin /fin /reset /reset /fin-at-once'
const ok = node === `TypeError TypeError TypeError ${once_}`
process.exit(ok && deno === `paid paid TypeError ${twice}` ? 0 : 1)
PROGRAM

cd "$folder" && timeout 90 node program.mjs "$folder"
