#!/usr/bin/env bash
# mdns-js-packet: an IPv6 address is announced without the address.
#
# Versions:  the npm packages `mdns-js-packet`, 0.2.0, and `dns-packet`, 5.6.1, on any Node.
# Expected:  `DNSPacket.toBuffer` writes a record of type AAAA with its 16 bytes, as it writes one
#            of type A with four; it reads such a record itself, and throws at types that it does
#            not know.
# Seen:      the record is written with length 0. There is no error, and its name, type and time are
#            right. What the others hear is an address that is empty, which each takes as it may:
#            dns-packet as "::", which is nobody. A device that has both kinds of addresses is found
#            at the other one, so a test in a house with IPv4 finds nothing.
# Here:      nothing of sluice announces; what a codec cannot write is an error.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  mdns-js-packet@0.2.0 dns-packet@5.6.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { decode, encode } = require('dns-packet')
const { DNSPacket } = require('mdns-js-packet')

const [A, AAAA, IN] = [1, 28, 1]
const records = [
  { name: 'printer.local', type: A, class: IN, ttl: 120, address: '192.0.2.7' },
  { name: 'printer.local', type: AAAA, class: IN, ttl: 120, address: '2001:db8::7' },
]

function ofMdnsJs(record) {
  const packet = new DNSPacket()
  packet.answer.push(record)
  return DNSPacket.toBuffer(packet)
}

function ofDnsPacket({ name, type, ttl, address }) {
  const answers = [{ name, type: type === A ? 'A' : 'AAAA', ttl, data: address }]
  return encode({ type: 'response', answers })
}

const results = []
for (const record of records)
  for (const write of [ofMdnsJs, ofDnsPacket]) {
    const bytes = write(record)
    // Header, the name with its ends, type, class and time, and then the length.
    const length = bytes.readUInt16BE(12 + 15 + 8)
    const { name, type, data } = decode(bytes).answers[0]
    results.push(`${name} ${type} ${length} ${data}`)
    console.log(`${write.name}: ${results.at(-1)}`)
  }
const expected = [
  ...Array(2).fill('printer.local A 4 192.0.2.7'),
  'printer.local AAAA 0 ::',
  'printer.local AAAA 16 2001:db8::7',
]
process.exit(results.join() === expected.join() ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
