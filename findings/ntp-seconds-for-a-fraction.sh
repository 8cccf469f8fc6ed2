#!/usr/bin/env bash
# @destinationstransfers/ntp: its times are always the same part of a second behind a full one.
#
# Versions:  the npm packages `@destinationstransfers/ntp`, 2.0.0, and `ntp-client`, 0.5.3, on any
#            Node.
# Expected:  the answer of an NTP server has times of 32 bits of seconds and 32 bits of fraction
#            (RFC 5905, section 6). `getNetworkTime` gives the server's time to about a millisecond,
#            as ntp-client does.
# Seen:      it takes the seconds of one time, and for the fraction of it the seconds of another.
#            Those hardly change: in 2026 they are 0.93 of their range. So every time that it gives
#            is 932 ms behind a full second, whatever the server said: up to 932 ms late, or up to
#            68 ms early. Two machines that ask within the same second agree to the millisecond, so
#            a comparison of the two finds nothing.
# Here:      a Struct reads fields one after the other, at their places.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  @destinationstransfers/ntp@2.0.0 ntp-client@0.5.3 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const { promisify } = require('node:util')
const { getNetworkTime } = require('@destinationstransfers/ntp')
const ntpClient = require('ntp-client')

const SECONDS_TO_1970 = 2_208_988_800

/** A server whose clock stands: it says the same time in each answer. */
let time
const server = dgram.createSocket('udp4')
server.on('message', (request, { port, address }) => {
  const answer = Buffer.alloc(48)
  // Version 4, a server, stratum 2; the client's time goes back to it.
  answer.set([0x24, 2])
  request.copy(answer, 24, 40, 48)
  for (const at of [16, 32, 40]) {
    answer.writeUInt32BE(Math.floor(time / 1000) + SECONDS_TO_1970, at)
    answer.writeUInt32BE(Math.floor(((time % 1000) / 1000) * 2 ** 32), at + 4)
  }
  server.send(answer, port, address)
})

async function main() {
  await once(server.bind(0, '127.0.0.1'), 'listening')
  const { port } = server.address()
  const second = Date.parse('2026-11-28T05:00:00.000Z')
  let same = true
  for (const milliseconds of [0, 250, 500, 900]) {
    time = second + milliseconds
    const right = (await promisify(ntpClient.getNetworkTime)('127.0.0.1', port)) - second
    const seen = (await getNetworkTime({ server: '127.0.0.1', port })) - second
    console.log(`${milliseconds} ms behind a second: ntp-client ${right}, the other ${seen}`)
    same &&= Math.abs(right - milliseconds) <= 1 && Math.abs(seen - 932) <= 1
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
