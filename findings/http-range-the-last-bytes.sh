#!/usr/bin/env bash
# sirv gives the first 101 bytes for the last 100; express and serve-handler refuse a short file.
#
# Versions:  the npm packages `sirv`, 3.0.2 (the preview of Vite and SvelteKit's adapter for Node),
#            `express`, 5.3.0, with `send`, 1.2.1, and `range-parser`, 1.3.0, and `serve-handler`,
#            6.1.8 (the command `serve`), on any Node.
# Expected:  "Range: bytes=-100" asks for the last 100 bytes; of a shorter file, for all of it (RFC
#            9110, 14.1.2). Readers of Parquet, ZIP and Zarr begin like this: the table of contents
#            is at the end, and its length is not known.
# Seen:      sirv takes the missing start for 0: it answers 206 with the bytes 0 to 100, one more
#            than was asked for, and the wrong ones. A reader that looks at the status only takes
#            them for the end. (Its issue 155 says so since 2023.) express and serve-handler give
#            the last 100, but answer 416 if the file has fewer: a small archive cannot be opened
#            where a large one can; serve-handler sends the whole file with the refusal.
#            "bytes=0-999" of a short file is well everywhere.
# Here:      nothing serves files over HTTP; who asks a server for an end looks at Content-Range.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  sirv@3.0.2 express@5.3.0 send@1.2.1 range-parser@1.3.0 serve-handler@6.1.8 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { mkdirSync, writeFileSync } = require('node:fs')
const http = require('node:http')
const express = require('express')
const serveHandler = require('serve-handler')
const sirv = require('sirv')

const folder = `${__dirname}/files`
mkdirSync(folder)
const text = Array.from({ length: 500 }, (_, index) => `${index % 10}`).join('')
writeFileSync(`${folder}/file.txt`, text)

const app = express().use(express.static(folder))
// Without this, the refusal is printed with its stack, as in a development environment.
app.use((error, _request, response, _next) => response.status(error.status).end())
const servers = {
  sirv: sirv(folder, { dev: true }),
  'sirv, production': sirv(folder),
  express: app,
  'serve-handler': (request, response) => serveHandler(request, response, { public: folder }),
}

async function main() {
  const results = {}
  for (const [name, handler] of Object.entries(servers)) {
    const server = http.createServer(handler).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${server.address().port}/file.txt`
    results[name] = []
    for (const range of ['bytes=0-999', 'bytes=-100', 'bytes=-1000']) {
      const response = await fetch(url, { headers: { range } })
      const { length } = await response.text()
      results[name].push(`${response.status} ${response.headers.get('content-range')} ${length}`)
    }
    server.close()
    server.closeAllConnections()
    console.log(`${name}: of bytes=0-999: ${results[name][0]}`)
    console.log(`  bytes=-100: ${results[name][1]}; bytes=-1000: ${results[name][2]}`)
  }
  const all = '206 bytes 0-499/500 500'
  const last = '206 bytes 400-499/500 100'
  const first = '206 bytes 0-100/500 101'
  const expected = {
    sirv: [all, first, all],
    'sirv, production': [all, first, all],
    express: [all, last, '416 bytes */500 0'],
    'serve-handler': [all, last, '416 bytes */500 500'],
  }
  process.exit(JSON.stringify(results) === JSON.stringify(expected) ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
