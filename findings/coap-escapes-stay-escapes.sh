#!/usr/bin/env bash
# coap (node-coap): it asks for another resource than libcoap does, if the URI has a percent sign.
#
# Versions:  the npm package `coap`, 1.5.0, on any Node; libcoap3-bin and libcoap3 4.3.1-1 of Debian
#            12 (bookworm), amd64.
# Expected:  CoAP has no escapes: a client takes coap://host/%C3%BC apart and sends the two bytes c3
#            bc as the option Uri-Path, and "b/c" of a/b%2Fc as one option; a/b/ has an empty third
#            one (RFC 7252, 6.4). So does coap-client of libcoap.
# Seen:      node-coap sends the escapes as text, in the path and in the query, and leaves out empty
#            segments. A server of another make answers 4.04, or finds "a%26b" in a query where a&b
#            was meant. With node-coap at both ends nothing shows. To write ü into the URL does not
#            help, since that is made an escape first; `{ pathname: '/ü' }` does.
# Here:      a CoAP client on sluice decodes each segment when it takes the URI apart.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq libcoap3-bin=4.3.1-1 libcoap3=4.3.1-1
  for package in *.deb; do dpkg -x "$package" .; done
)
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" coap@1.5.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { execFile } = require('node:child_process')
const { createSocket } = require('node:dgram')
const { once } = require('node:events')
const { promisify } = require('node:util')
const coap = require('coap')

const folder = process.argv[2]

/** The options Uri-Path (11) and Uri-Query (15) of a request; none here is longer than 12 bytes. */
function uri(packet) {
  const seen = { 11: [], 15: [] }
  let at = 4 + (packet[0] & 15)
  let number = 0
  while (at < packet.length && packet[at] !== 255) {
    number += packet[at] >> 4
    const length = packet[at++] & 15
    seen[number]?.push(packet.toString('utf8', at, at + length))
    at += length
  }
  return `${JSON.stringify(seen[11])} ${JSON.stringify(seen[15])}`
}

async function main() {
  const server = createSocket('udp4')
  let last
  server.on('message', (packet, from) => {
    last = uri(packet)
    // An acknowledgement with 2.05, the id and the token of the request, and no content.
    const token = packet.subarray(4, 4 + (packet[0] & 15))
    const head = Buffer.from([0x60 | token.length, 0x45, packet[2], packet[3]])
    server.send(Buffer.concat([head, token]), from.port, from.address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `coap://127.0.0.1:${server.address().port}`
  const env = { LD_LIBRARY_PATH: `${folder}/usr/lib/x86_64-linux-gnu` }
  const options = { env, timeout: 10_000 }

  const clients = {
    'node-coap': url => once(coap.request(url).end(), 'response'),
    libcoap: url => promisify(execFile)(`${folder}/usr/bin/coap-client-notls`, [url], options),
  }
  const seen = {}
  for (const path of ['/%C3%BC', '/a/b%2Fc', '/a/b/', '/x?q=a%26b', '/ü'])
    for (const [name, ask] of Object.entries(clients)) {
      await ask(base + path)
      console.log(`${path} by ${name}: ${last}`)
      seen[`${path} ${name}`] = last
    }
  const same = Object.entries({
    '/%C3%BC node-coap': '["%C3%BC"] []',
    '/%C3%BC libcoap': '["ü"] []',
    '/a/b%2Fc node-coap': '["a","b%2Fc"] []',
    '/a/b%2Fc libcoap': '["a","b/c"] []',
    '/a/b/ node-coap': '["a","b"] []',
    '/a/b/ libcoap': '["a","b",""] []',
    '/x?q=a%26b node-coap': '["x"] ["q=a%26b"]',
    '/x?q=a%26b libcoap': '["x"] ["q=a&b"]',
    '/ü node-coap': '["%C3%BC"] []',
    '/ü libcoap': '["ü"] []',
  }).every(([name, value]) => seen[name] === value)
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs "$folder"
