#!/usr/bin/env bash
# node:dns: a server that says SERVFAIL or REFUSED is the last one that is asked.
#
# Versions:  the npm package `node`, 22.23.3 and 26.10.0, on Linux.
# Expected:  with `setServers([first, second])` the second is asked if the first fails. The
#            documentation says that the others are used if the earlier ones "time out or result in
#            some other error", and that only NOTFOUND is final. The resolver of the C library does
#            so.
# Seen:      SERVFAIL and REFUSED are errors of the query at once (ESERVFAIL, EREFUSED); the second
#            server hears nothing, however many `tries`. It is asked only if the first is silent.
# Here:      a `lookup` of a Client that is made of a Resolver has no fallback when its first server
#            loses what is behind it, which is when resolvers say SERVFAIL.
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

const SILENT = 10_000
let second = 0
const good = await serve(() => (second++, {}))
const seen = {}
for (const [name, answer] of [
  ['SERVFAIL', { code: 2 }],
  ['REFUSED', { code: 5 }],
  ['silence', { after: SILENT }],
]) {
  const resolver = new Resolver({ timeout: 500, tries: 3 })
  resolver.setServers([await serve(() => answer), good])
  second = 0
  const what = await resolver.resolve4('some.test').then(() => 'answer', ({ code }) => code)
  seen[name] = `${what}, ${second} queries to the second`
}
console.log(`node ${process.version}:`, seen)
const { SERVFAIL, REFUSED, silence } = seen
const final = SERVFAIL.startsWith('ESERVFAIL, 0') && REFUSED.startsWith('EREFUSED, 0')
process.exit(final && silence.startsWith('answer, 1') ? 0 : 1)
PROGRAM

for version in 22.23.3 26.10.0; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  timeout 60 "$folder/$version/node_modules/node/bin/node" "$folder/program.mjs"
done
