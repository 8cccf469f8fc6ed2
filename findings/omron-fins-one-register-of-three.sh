#!/usr/bin/env bash
# omron-fins: of several index registers that are written, the first gets the last value, the
# others 0.
#
# Versions:  the npm package `omron-fins`, 0.5.0, on any Node.
# Expected:  `client.write('IR0', [a, b, c])` writes three registers of the controller, as
#            `write('D100', [a, b, c])` writes three words of its memory.
# Seen:      words arrive as they are. Index registers have four bytes each, and each value is put
#            into the same four: IR0 is c, IR1 and IR2 are 0. The controller confirms, and the
#            callback has no error. One register alone is right, and so is a read of all of them.
#            (Index registers hold addresses: the program in the controller works on other memory
#            from then on.)
# Here:      a Struct with a count writes each value at its place.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  omron-fins@0.5.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const { FinsClient } = require('omron-fins')

const [READ, WRITE] = [0x0101, 0x0102]
const SIZES = { 0x82: 2, 0xdc: 4 }

/** The memory of a controller: areas of words and of index registers, read and written by FINS. */
const areas = { 0x82: Buffer.alloc(1000), 0xdc: Buffer.alloc(4 * 0x110) }
const controller = dgram.createSocket('udp4')
controller.on('message', (request, { port, address }) => {
  const command = request.readUInt16BE(10)
  const [area, size] = [areas[request[12]], SIZES[request[12]]]
  const start = request.readUInt16BE(13) * size
  const end = start + request.readUInt16BE(16) * size
  if (command === WRITE) request.copy(area, start, 18)
  const head = [0xc0, 0, 2, ...request.subarray(6, 9), ...request.subarray(3, 6), request[9]]
  const answer = [Buffer.from(head), request.subarray(10, 12), Buffer.alloc(2)]
  if (command === READ) answer.push(area.subarray(start, end))
  controller.send(Buffer.concat(answer), port, address)
})

async function main() {
  await once(controller.bind(0, '127.0.0.1'), 'listening')
  const options = { timeout: 20_000, SA1: 1, DA1: 0 }
  const client = new FinsClient(controller.address().port, '127.0.0.1', options)
  await once(client, 'open')
  await new Promise(setImmediate)
  const call = (method, ...parts) =>
    new Promise((resolve, reject) =>
      client[method](...parts, (error, answer) => (error ? reject(error) : resolve(answer))),
    )

  let same = true
  for (const [address, values, expected] of [
    ['D100', [11, 22, 33], [11, 22, 33]],
    ['IR0', [11], [11]],
    ['IR0', [11, 22, 33], [33, 0, 0]],
  ]) {
    await call('write', address, values)
    const { values: seen } = (await call('read', address, values.length)).response
    console.log(`${address}: written ${values}, read ${seen}`)
    same &&= seen.join() === expected.join()
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
