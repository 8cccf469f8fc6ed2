#!/usr/bin/env bash
# @serialport/parser-spacepacket: it gives a packet that nobody sent, with data of the last.
#
# Versions:  the npm package `@serialport/parser-spacepacket`, 13.0.0, on any Node.
# Expected:  CCSDS space packets come out as they went in, however the stream is cut into chunks.
# Seen:      if a chunk ends right behind the header of a packet, that packet is given at once, with
#            the data of the one before it. Then it is given again, as it was sent, if both have the
#            same length. If the one before was longer, the rest of it is taken for a header, and
#            nothing that follows is right. In one piece, byte by byte and with all other cuts all
#            is well, so a test finds nothing.
# Here:      a delimiter with `cut()` is given all that has not been delivered, and nothing else.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  @serialport/parser-spacepacket@13.0.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { SpacePacketParser } = require('@serialport/parser-spacepacket')

// Version 0, telemetry, process 1, unsegmented, number n; then the length of the data less one.
const packet = (data, n) =>
  Buffer.concat([Buffer.from([0, 1, 0xc0, n, 0, data.length - 1]), Buffer.from(data)])

/** The packets that come out, each as its number and its data. */
async function read(chunks) {
  const parser = new SpacePacketParser()
  const seen = []
  const end = once(
    parser.on('data', it => it.header && seen.push(it.header.sequenceControl.packetName, it.data)),
    'end',
  )
  for (const chunk of chunks) parser.write(chunk)
  parser.end()
  await end
  return seen.join(' ')
}

async function run(...texts) {
  const bytes = Buffer.concat(texts.map(packet))
  const sent = texts.map((text, n) => `${n} ${text}`).join(' ')
  const single = await read([...bytes].map(byte => Buffer.from([byte])))
  if ((await read([bytes])) !== sent || single !== sent) return undefined
  const wrong = {}
  for (let cut = 1; cut < bytes.length; cut++) {
    const seen = await read([bytes.subarray(0, cut), bytes.subarray(cut)])
    if (seen !== sent) wrong[cut] = seen
  }
  console.log(`sent: ${sent}; wrong by the place of the cut:`, wrong)
  return wrong
}

async function main() {
  const same = await run('one', 'two', 'six')
  const shorter = await run('first', 'two', 'six')
  const ok =
    JSON.stringify(same) === '{"15":"0 one 1 one 1 two 2 six","24":"0 one 1 two 2 two 2 six"}' &&
    JSON.stringify(shorter) === '{"17":"0 first 1 fir","26":"0 first 1 two 2 two 2 six"}'
  process.exit(ok ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 30 node program.cjs
