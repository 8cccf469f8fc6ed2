#!/usr/bin/env bash
# artnet: of two changes in 25 ms the first is answered twice, and the second never.
#
# Versions:  the npm package `artnet`, 1.4.0, on any Node.
# Expected:  "Callback is called with (error, response)" once what was set is sent. `trigger(oem,
#            subkey, key)` sends the three numbers: in Art-Net the key 0, KeyAscii, says that the
#            subkey is a character that somebody has typed.
# Seen:      what comes within 25 ms of the last packet waits, and is then sent with the callback of
#            the one before: that is called a second time, and the waiting one's never. So
#            `await`ing each change stops for ever at the second, although the lamp has it. The
#            key 0 is sent as 255, which no table of keys has, and the number 0 of a manufacturer as
#            65535, which is everybody. Both are written as `x || default`.
# Here:      a promise of a sender belongs to its own message, and 0 is a number as any other.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  artnet@1.4.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const artnet = require('artnet')

const OP_DMX = 0x5000
const OP_TRIGGER = 0x9900

async function main() {
  const node = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(node, 'listening')
  const console_ = artnet({ host: '127.0.0.1', port: node.address().port })
  const answered = []
  console_.set(0, 1, 10, () => answered.push('first'))
  console_.set(0, 2, 20, () => answered.push('second'))
  // The manufacturer, the character, and KeyAscii; then KeyMacro, 1, of everybody.
  console_.trigger(0, 'A'.charCodeAt(0), 0)
  console_.trigger(0xffff, 7, 1)

  const lamps = []
  const triggers = []
  while (lamps.length < 2 || triggers.length < 2) {
    const [packet] = await once(node, 'message')
    const kind = packet.readUInt16LE(8)
    if (kind === OP_DMX) lamps.push([...packet.subarray(18, 20)].join(' '))
    if (kind === OP_TRIGGER) {
      triggers.push([packet.readUInt16BE(14), packet[17], packet[16]].join(' '))
    }
  }
  while (answered.length < 2) await new Promise(setImmediate)
  console_.close()
  node.close()
  console.log('lamps:   ', lamps.join(', '))
  console.log('answered:', answered.join(', '))
  console.log('triggers (manufacturer, subkey, key):', triggers.join(', '))
  const same =
    lamps.join() === '10 0,10 20' &&
    answered.join() === 'first,first' &&
    triggers.join() === '65535 65 255,65535 7 1'
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
