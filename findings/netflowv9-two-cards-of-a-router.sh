#!/usr/bin/env bash
# node-netflowv9: of a router with two line cards the addresses are bytes, and the bytes ports.
#
# Versions:  the npm package `node-netflowv9`, 0.2.16, on any Node.
# Expected:  a template says which fields the flows have that name its number. Each source of a
#            router, a line card or a process, counts its templates by itself: the number is unique
#            together with the Source ID in the header only (RFC 3954, 5.1).
# Seen:      templates are kept by address, port and number. With two sources the second's template
#            256 takes the place of the first's, for both: until the first sends its own again the
#            flows of the first are read by that of the second. Both have 12 bytes here, so nothing
#            is too long: bytes become an address, and ports become bytes. It comes and goes with
#            each refresh of a template, every few minutes.
# Here:      a channel with templates keeps them by all that the format says makes them unique.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  node-netflowv9@0.2.16 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const Collector = require('node-netflowv9')

const TEMPLATES = 0
// The types of RFC 3954, 8, each of 4 bytes here.
const IN_BYTES = 1
const IN_PKTS = 2
const IPV4_SRC_ADDR = 8

/** A packet of one flow set. */
function packet(sourceId, flowSet, ...words) {
  const bytes = Buffer.alloc(20 + 4 + words.length * 4)
  bytes.writeUInt16BE(9, 0)
  bytes.writeUInt16BE(1, 2)
  bytes.writeUInt32BE(sourceId, 16)
  bytes.writeUInt16BE(flowSet, 20)
  bytes.writeUInt16BE(4 + words.length * 4, 22)
  words.forEach((word, index) => bytes.writeUInt32BE(word, 24 + index * 4))
  return bytes
}
const template = (sourceId, ...types) =>
  packet(sourceId, TEMPLATES, 256 * 65536 + types.length, ...types.map(type => type * 65536 + 4))
const ADDRESS = 0xc0a80105

async function main() {
  const client = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(client, 'listening')
  const flows = []
  let arrived
  const collector = Collector({
    cb({ header, flows: [flow] }) {
      flows.push([header.sourceId, flow.ipv4_src_addr, flow.in_bytes, flow.in_pkts])
      arrived()
    },
    templateCb: () => arrived(),
  })
  collector.listen(0, '127.0.0.1')
  await once(collector.server, 'listening')
  const { port } = collector.server.address()
  const send = async bytes => {
    const arrival = new Promise(resolve => (arrived = resolve))
    client.send(bytes, port, '127.0.0.1')
    await arrival
  }
  const first = packet(1, 256, ADDRESS, 5000, 700)
  await send(template(1, IPV4_SRC_ADDR, IN_BYTES, IN_PKTS))
  await send(first)
  await send(template(2, IN_BYTES, IN_PKTS, IPV4_SRC_ADDR))
  await send(first)
  await send(packet(2, 256, 9000, 8, ADDRESS))
  for (const [source, address, bytes, packets] of flows) {
    console.log(`source ${source}: ${address}, ${bytes} bytes, ${packets} packets`)
  }
  const expected = [
    [1, '192.168.1.5', 5000, 700],
    [1, '0.0.2.188', ADDRESS, 5000],
    [2, '192.168.1.5', 9000, 8],
  ]
  process.exit(JSON.stringify(flows) === JSON.stringify(expected) ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
