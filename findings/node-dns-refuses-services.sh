#!/usr/bin/env bash
# node:dns: a service that resolvePtr has found cannot be asked for by resolveSrv.
#
# Versions:  the npm package `node`, 20.20.2, 22.23.3 and 26.10.0, on Linux.
# Expected:  DNS-SD (RFC 6763) names services as people do: "My Printer._ipp._tcp.example". DNS
#            takes any bytes in a name. resolvePtr of _ipp._tcp.example lists them, and resolveSrv
#            and resolveTxt of such a name give its host, its port and its settings.
# Seen:      resolvePtr gives the name. The other two refuse it with EBADNAME and send nothing, as
#            it was given and with the blank as "\ " or \032. The same with an apostrophe, a
#            bracket, &, @, a colon or =. (c-ares lets only characters of host names, and a few
#            more, into a question, whatever its type.) Names of one word work, so a test finds
#            nothing.
# Here:      a client of DNS-SD on sluice writes its questions itself, over a Datagram.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 400 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'

const label = text => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)])
const INSTANCE = 'My Printer'

// A name server with one answer: to PTR (12) the name of the service, to all else SRV (33).
const server = createSocket('udp4')
let asked = 0
server.on('message', (query, from) => {
  asked++
  let end = 12
  while (query[end]) end += query[end] + 1
  const type = query.readUInt16BE(end + 1)
  // The service is a label in front of the name that was asked for, at offset 12.
  const service = Buffer.concat([label(INSTANCE), Buffer.from([0xc0, 12])])
  const host = Buffer.concat([Buffer.from([0, 0, 0, 0, 2, 119]), label('host'), Buffer.from([0])])
  const data = type === 12 ? service : host
  const head = Buffer.from([0, 0, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])
  query.copy(head, 0, 0, 2)
  const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length])
  const answer = Buffer.concat([head, query.subarray(12, end + 5), record, data])
  server.send(answer, from.port, from.address)
})
server.bind(0, '127.0.0.1')
await once(server, 'listening')

const resolver = new Resolver()
resolver.setServers([`127.0.0.1:${server.address().port}`])
const service = '_ipp._tcp.example'
const [found] = await resolver.resolvePtr(service)
const names = ['Printer', 'My Printer', 'My\\ Printer', 'My\\032Printer']
const seen = {}
for (const name of [...names, "Bob's", 'Printer (2)', 'R&D', 'a@b', 'a:b', 'a=b']) {
  asked = 0
  const answer = await resolver.resolveSrv(`${name}.${service}`).catch(error => error.code)
  seen[name] = Array.isArray(answer) ? `port ${answer[0].port}` : answer
  if (asked === 0) seen[name] += ', not sent'
}
console.log(process.version, 'resolvePtr:', found, 'resolveSrv:', seen)
const { Printer, ...others } = seen
const same =
  found === `${INSTANCE}.${service}` &&
  Printer === 'port 631' &&
  Object.values(others).every(text => text === 'EBADNAME, not sent')
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder"
for version in 20.20.2 22.23.3 26.10.0; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" \
    "node@$version" >/dev/null
  timeout 30 "$folder/$version/node_modules/node/bin/node" program.mjs
done
