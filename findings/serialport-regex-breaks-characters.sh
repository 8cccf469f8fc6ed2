#!/usr/bin/env bash
# @serialport/parser-regex: a character that is cut by the end of a chunk becomes U+FFFD.
#
# Versions:  the npm packages `@serialport/parser-regex` and `@serialport/parser-readline`, 13.0.0,
#            on any Node.
# Expected:  a stream of UTF-8 gives the same lines, however it is cut into chunks. The parser has
#            an option `encoding`, utf8 by default, for what it gives.
# Seen:      each chunk is made a string by itself, so of "größe" in chunks of one byte the two
#            letters become two U+FFFD each. A long line over a network or a serial port is cut
#            anywhere; a short one comes whole, so a test finds nothing. parser-readline of the same
#            family, with the same line end as a string, is right with every cut. `encoding:
#            'latin1'` does not save the bytes.
# Here:      a delimiter that is a RegExp searches bytes, and a read is decoded when it is whole.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  @serialport/parser-regex@13.0.0 @serialport/parser-readline@13.0.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { ReadlineParser } = require('@serialport/parser-readline')
const { RegexParser } = require('@serialport/parser-regex')

const bytes = Buffer.from('größe\r\n😀\r\n')

async function lines(parser, size) {
  const seen = []
  const end = once(parser.on('data', line => seen.push(line)), 'end')
  for (let at = 0; at < bytes.length; at += size) parser.write(bytes.subarray(at, at + size))
  parser.end()
  await end
  return seen
}

async function main() {
  const seen = {}
  for (const size of [bytes.length, 1]) {
    seen[`regex ${size}`] = await lines(new RegexParser({ regex: /\r\n/ }), size)
    seen[`readline ${size}`] = await lines(new ReadlineParser({ delimiter: '\r\n' }), size)
  }
  const latin1 = await lines(new RegexParser({ regex: /\r\n/, encoding: 'latin1' }), 1)
  console.log('by chunk size:', seen, 'as latin1:', latin1)
  const whole = 'größe,😀'
  const ok =
    String(seen['regex 15']) === whole &&
    String(seen['readline 15']) === whole &&
    String(seen['readline 1']) === whole &&
    String(seen['regex 1']) === 'gr\ufffd\ufffd\ufffd\ufffde,\ufffd\ufffd\ufffd\ufffd' &&
    latin1[0] !== bytes.latin1Slice(0, 7)
  process.exit(ok ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 30 node program.cjs
