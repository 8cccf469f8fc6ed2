#!/usr/bin/env bash
# rtp-parser: the sound begins with the extension of the header, and ends with the padding.
#
# Versions:  the npm packages `rtp-parser`, 1.0.0, and `werift-rtp`, 0.8.9, on any Node.
# Expected:  the payload of an RTP packet stands behind the contributing sources and the extension,
#            and in front of the padding (RFC 3550, 5.1 and 5.3.1). So werift-rtp gives it.
# Seen:      `parseRtpPacket` says that there is an extension, and that there is padding, and leaves
#            both in `payload`. So each packet of a browser, which has an extension (how loud it is,
#            its number in the connection), begins with eight bytes or more of header to a decoder.
#            And it reads the contributing sources three bytes too early: for 10 and 11 it names 768
#            and 2560. The packets of an ordinary telephone have none of the three, and are right.
# Here:      a `cut()` or a Struct for RTP reads the length of the extension, and the last byte.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  rtp-parser@1.0.0 werift-rtp@0.8.9 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { parseRtpPacket } = require('rtp-parser')
const { RtpPacket } = require('werift-rtp')

/** A packet with the payload "sound", SSRC 3, and what the options name. */
function packet({ sources = [], extension = Buffer.alloc(0), padding = 0 }) {
  const head = Buffer.from([0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3])
  if (padding > 0) head[0] |= 0x20
  if (extension.length > 0) head[0] |= 0x10
  head[0] |= sources.length
  const list = Buffer.alloc(4 * sources.length)
  sources.forEach((source, index) => list.writeUInt32BE(source, 4 * index))
  const tail = Buffer.alloc(padding)
  if (padding > 0) tail[padding - 1] = padding
  return Buffer.concat([head, list, extension, Buffer.from('sound'), tail])
}

// One word: the level of sound, as RFC 6464 has it.
const extension = Buffer.from('bede000110850000', 'hex')
const cases = [
  ['nothing', {}, 'sound', ''],
  ['an extension', { extension }, '\xbe\xde\0\x01\x10\x85\0\0sound', ''],
  ['padding', { padding: 3 }, 'sound\0\0\x03', ''],
  ['two sources', { sources: [10, 11] }, 'sound', '768,2560'],
]
let same = true
for (const [name, options, payload, sources] of cases) {
  const bytes = packet(options)
  const right = RtpPacket.deSerialize(bytes)
  const seen = parseRtpPacket(bytes)
  const texts = [right, seen].map(({ payload }) => payload.toString('latin1'))
  console.log(`with ${name}: werift-rtp`, JSON.stringify(texts[0]), right.header.csrc)
  console.log(`with ${name}: rtp-parser`, JSON.stringify(texts[1]), seen.csrc)
  same &&= texts[0] === 'sound' && right.header.csrc.join() === (options.sources ?? []).join()
  same &&= texts[1] === payload && seen.csrc.join() === sources
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
