#!/usr/bin/env bash
# sacn: of two lighting consoles whose ids differ in a byte of 128 or more, one frame arrives, and
# then none.
#
# Versions:  the npm package `sacn`, 4.6.2, on any Node.
# Expected:  a source of sACN (E1.31) counts its own frames, and has a CID of 16 bytes to be known
#            by. Two may send to one universe, so the receiver keeps the count of each.
# Seen:      it keeps them by the CID as a text in UTF-8, in which every byte that is none is the
#            same character. CIDs that a maker gives in a row are the same text, if their last byte
#            is 128 or more. So each frame of one console is compared with the count of the other,
#            and dropped as out of order, if the two are more than 20 apart: both are dark from the
#            second one's first frame on. With bytes below 128, as in an example, all is well, so a
#            test finds nothing. And if the frame of the count 255 is lost on its way, the next one,
#            0, is dropped as well.
# Here:      nothing of sluice makes a text of an id that is bytes.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  sacn@4.6.2 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const { Packet, Receiver } = require('sacn')

const UNIVERSE = 1
const cid = last => Buffer.from('6ba7b8119dad11d180b400c04fd430' + last, 'hex')

async function main() {
  // The receiver gives no port of its own choice.
  const probe = dgram.createSocket('udp4').bind(0)
  await once(probe, 'listening')
  const { port } = probe.address()
  await new Promise(resolve => probe.close(resolve))

  const receiver = new Receiver({ universes: [UNIVERSE], port })
  // A machine without multicast cannot join the group; the frames come to its address.
  receiver.on('error', () => {})
  await once(receiver.socket, 'listening')
  const sender = dgram.createSocket('udp4')

  /** What the receiver makes of a frame: its source and number, or that it is out of order. */
  async function frame(sourceName, last, sequence) {
    const options = { payload: { 1: 100 }, universe: UNIVERSE, sourceName, sequence }
    const heard = new Promise(resolve => {
      receiver.once('packet', packet => resolve(`${packet.sourceName}${packet.sequence}`))
      receiver.once('PacketOutOfOrder', () => resolve('dropped'))
    })
    sender.send(new Packet({ ...options, cid: cid(last) }).buffer, port, '127.0.0.1')
    const seen = await heard
    receiver.removeAllListeners('packet').removeAllListeners('PacketOutOfOrder')
    return seen
  }

  const results = []
  for (const [first, second] of [
    ['01', '02'],
    ['81', '82'],
  ]) {
    const seen = []
    for (let count = 0; count < 3; count++)
      seen.push(await frame('a', first, 10 + count), await frame('b', second, 100 + count))
    console.log(`CIDs that end with ${first} and ${second}: ${seen.join(' ')}`)
    results.push(...seen)
  }
  const lost = []
  for (const sequence of [253, 254, 0, 1]) lost.push(await frame('c', '03', sequence))
  console.log(`without 255: ${lost.join(' ')}`)
  const well = ['a10', 'b100', 'a11', 'b101', 'a12', 'b102']
  const expected = [...well, 'a10', ...Array(5).fill('dropped'), 'c253', 'c254', 'dropped', 'c1']
  process.exit([...results, ...lost].join() === expected.join() ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
