#!/usr/bin/env bash
# dmxnet: what artnet sends for two lamps puts out the other 510.
#
# Versions:  the npm packages `dmxnet`, 0.9.0, and `artnet`, 1.4.0, on any Node.
# Expected:  a packet of Art-Net has 2 to 512 levels; those behind its end are not in it, and stay.
#            artnet sends no more than up to the last one that was changed, and the rest with
#            all 512 every four seconds. "The current values are stored inside `receiver.values`".
# Seen:      of a shorter packet the receiver keeps just that: with a lamp at 10 alight, a change of
#            lamp 1 leaves two values. `values[9]` is undefined until the next full packet, so a
#            program that copies them to its lamps puts them out, or writes NaN, for up to four
#            seconds after each change. Two senders of dmxnet's own always send 512, so its tests
#            find nothing. And what the packet says of its length is not looked at.
# Here:      a state is kept by who receives it, and a message changes the part that it names.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  dmxnet@0.9.0 artnet@1.4.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const artnet = require('artnet')
const { dmxnet: Node } = require('dmxnet')

/** A port that was free a moment ago: `dmxnet` takes a number, and not 0. */
async function freePort() {
  const socket = dgram.createSocket('udp4').bind(0)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

async function main() {
  const port = await freePort()
  const node = new Node({ listen: port, hosts: ['127.0.0.1'], log: { level: 'error' } })
  await once(node.listener4, 'listening')
  const receiver = node.newReceiver({ net: 0, subnet: 0, universe: 0 })
  const console_ = artnet({ host: '127.0.0.1', port })
  const results = []
  const change = async (channel, value) => {
    const arrival = once(receiver, 'data')
    console_.set(0, channel, value)
    await arrival
    const { values } = receiver
    results.push(`${values.length} values: ${values[0]}, ${values[9]}, ${values[511]}`)
    console.log(`lamp ${channel} to ${value}: ${results.at(-1)}`)
  }
  const { values } = receiver
  console.log(`at first: ${values.length} values: ${values[0]}, ${values[9]}, ${values[511]}`)
  await change(512, 1)
  await change(10, 255)
  await change(1, 128)
  const expected = [
    '512 values: 0, 0, 1',
    '10 values: 0, 255, undefined',
    '2 values: 128, undefined, undefined',
  ]
  process.exit(values.length === 512 && results.join() === expected.join() ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
