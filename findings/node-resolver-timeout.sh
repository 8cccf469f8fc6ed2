#!/usr/bin/env bash
# node:dns: after three quick answers, a Resolver with a timeout of five seconds waits for one.
#
# Versions:  the npm package `node`, 22.23.3 and 26.10.0, on Linux.
# Expected:  `new Resolver({ timeout: 5000, tries: 1 })` asks once, and waits for 5000 ms: "timeout:
#            Query timeout in milliseconds", says the documentation.
# Seen:      so it does for its first three queries. From then on it goes by what it has measured: a
#            server that has answered within a millisecond gets one second. A name for which a
#            resolver has to look further, and which takes 1.5 s, is ETIMEOUT after 1.0 s. With more
#            tries it is asked anew each second, and the answers to the tries before are not taken.
# Here:      a `lookup` of a Client may be such a Resolver. Then let `connect_timeout` bound it, and
#            give the Resolver more tries.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'

/** A DNS server. `answer(query)` gives the code of the answer and how long it takes, in ms. */
async function serve(answer) {
  const server = createSocket('udp4', (query, { port, address }) => {
    const { code = 0, after = 0 } = answer(query)
    const end = query.indexOf(0, 12) + 5
    const head = Buffer.from(query.subarray(0, end))
    head.set([0x81, 0x80 | code, 0, 1, 0, code === 0 ? 1 : 0, 0, 0, 0, 0], 2)
    const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]
    const bytes = code === 0 ? Buffer.concat([head, Buffer.from(record)]) : head
    setTimeout(() => server.send(bytes, port, address), after)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${server.address().port}`
}

const server = await serve(query => ({ after: query.includes('slow') ? 1500 : 0 }))

/** What becomes of a slow query after so many quick ones. */
async function slow(quick) {
  const resolver = new Resolver({ timeout: 5000, tries: 1 })
  resolver.setServers([server])
  for (let i = 0; i < quick; i++) await resolver.resolve4(`quick${i}.test`)
  const start = performance.now()
  const what = await resolver.resolve4('slow.test').then(() => 'answer', ({ code }) => code)
  return `${what} after ${((performance.now() - start) / 1000).toFixed(1)} s`
}

const seen = await Promise.all([0, 2, 3, 20].map(slow))
console.log(`node ${process.version}, after 0, 2, 3, 20 quick answers: ${seen.join(', ')}`)
const first = seen.slice(0, 2).every(text => text.startsWith('answer'))
process.exit(first && seen.slice(2).every(text => /^ETIMEOUT after (0\.9|1\.)/.test(text)) ? 0 : 1)
PROGRAM

for version in 22.23.3 26.10.0; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  timeout 60 "$folder/$version/node_modules/node/bin/node" "$folder/program.mjs"
done
