#!/usr/bin/env bash
# @msgpack/msgpack: an ArrayBuffer, a Map and a Set become an empty map, without an error.
#
# Versions:  the npm package `@msgpack/msgpack`, 3.1.3, on any Node.
# Expected:  an ArrayBuffer is binary data, as a Uint8Array over it is; a Map is a map. What
#            `encode` cannot write it refuses, as it refuses a function or a bigint ("Unrecognized
#            object").
# Seen:      the byte 80, an empty map, for all three. With `socket.binaryType = 'arraybuffer'`,
#            what a WebSocket gives is an ArrayBuffer: passed on inside a message it is gone, and
#            the peer gets {}. Typed arrays and Buffers are right.
# Here:      sluice gives Buffers. Who packs what a browser has received wraps it in a Uint8Array.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  @msgpack/msgpack@3.1.3 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { encode } from '@msgpack/msgpack'

const bytes = new Uint8Array([1, 2, 3])
const seen = {}
for (const [name, value] of Object.entries({
  Uint8Array: bytes,
  ArrayBuffer: bytes.buffer,
  Map: new Map([['a', 1]]),
  Set: new Set([1]),
}))
  seen[name] = Buffer.from(encode(value)).toString('hex')
let refused = false
try {
  encode(() => {})
} catch {
  refused = true
}
console.log(seen, 'a function is refused:', refused)
process.exit(refused && Object.values(seen).join() === 'c403010203,80,80,80' ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
