#!/usr/bin/env bash
# dhcp: a single pad byte swallows the code of the option behind it, and all else is misread.
#
# Versions:  the npm package `dhcp`, 0.2.20, on any Node.
# Expected:  the option 0 (Pad) is one byte, without a length; a client may put any number of them
#            between options, to begin each at an even address (RFC 2132, 3.1). They are passed
#            over.
# Seen:      each takes the next byte with it. Two in a row are well. One takes the code of the
#            option behind it: of "requested address 192.168.1.5" the length 4 is read as a code,
#            that of Time Server, with 192 bytes of addresses. So the server sees no requested
#            address and no host name, and forty-eight time servers that nobody has named; there is
#            no error. Clients that pad only at the end, as most do, are read well.
# Here:      a `Struct` or a `cut()` reads what the format says; a pad has no length there either.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  dhcp@0.2.20 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const dhcp = require('dhcp')

const DISCOVER = [53, 1, 1]
const REQUESTED_ADDRESS = [50, 4, 192, 168, 1, 5]
const HOST_NAME = [12, 4, ...Buffer.from('host')]
const END = 255

/** A DHCPDISCOVER with that many pads, filled up with zeros behind its end. */
function discover(pads) {
  const packet = Buffer.alloc(548)
  packet.set([1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78])
  packet.set([2, 0, 0, 0, 0, 1], 28)
  packet.set([99, 130, 83, 99], 236)
  const padding = Array(pads).fill(0)
  packet.set([...DISCOVER, ...padding, ...REQUESTED_ADDRESS, ...HOST_NAME, END], 240)
  return packet
}

async function main() {
  const handler = dhcp.createBroadcastHandler()
  handler.listen(0, '127.0.0.1')
  const [listening] = await once(handler, 'listening')
  const client = dgram.createSocket('udp4')
  const results = []
  for (const pads of [0, 1, 2]) {
    client.send(discover(pads), listening.address().port, '127.0.0.1')
    const [{ options }] = await once(handler, 'message')
    const timeServers = options[4]?.length ?? 0
    results.push(`type ${options[53]}, ${options[50]}, ${options[12]}, ${timeServers}`)
    console.log(`${pads} pads: type, address, name, number of time servers: ${results.at(-1)}`)
  }
  const right = 'type 1, 192.168.1.5, host, 0'
  const expected = [right, 'type 1, undefined, undefined, 48', right]
  process.exit(results.join() === expected.join() ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
