#!/usr/bin/env bash
# msgpackr: `Date.now()` of another library's MessagePack arrives as a bigint.
#
# Versions:  the npm packages `msgpackr`, 2.1.4, and `@msgpack/msgpack`, 3.1.3, on any Node.
# Expected:  a whole number that JavaScript can hold exactly is a number, whoever packed it.
# Seen:      it is a number as long as it has 32 bits. Above that, as with every time in
#            milliseconds, @msgpack/msgpack (and the packers of other languages) write an integer of
#            64 bits, and msgpackr reads that as a bigint: `message.time + 1` and JSON.stringify
#            throw a TypeError. Among themselves neither library shows it: msgpackr packs such
#            numbers as floats.
# Here:      who lets both ends of a channel choose their library sets `int64AsType: 'number'`.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  @msgpack/msgpack@3.1.3 msgpackr@2.1.4 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { decode, encode } from '@msgpack/msgpack'
import { pack, unpack } from 'msgpackr'

const seen = [1_700_000_000, 1_700_000_000_000].map(time => [
  typeof unpack(encode(time)),
  typeof unpack(pack(time)),
  typeof decode(pack(time)),
  typeof decode(encode(time)),
])
console.log('seconds, milliseconds:', seen)
process.exit(String(seen) === 'number,number,number,number,bigint,number,number,number' ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
