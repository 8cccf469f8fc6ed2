#!/usr/bin/env bash
# lwm2m-codec: minus 1 in 64 bits is -8,589,934,593, and 21.5 in 64 bits is 2.84.
#
# Versions:  the npm package `lwm2m-codec`, 0.1.1, on any Node.
# Expected:  in the TLV format of LwM2M a whole number has 8, 16, 32 or 64 bits, as the sender likes
#            (mbed-client writes each one with 64), and a float 32 or 64. An answer to Discover
#            lists each resource with its attributes: "</3/0/6>;dim=8" is the path /3/0/6.
# Seen:      of a negative number with 64 bits 2^33 is taken away: what it writes itself, it reads
#            as another number. Of a float with 64 bits the first half is read as one with 32: a
#            thermometer of 21.5 degrees shows 2.8359375, and one of 30 shows 2.97. From the second
#            path of a list on, the first and the last character are cut off, whatever they are, so
#            the attributes stay: "/3/0/6>;dim=". Positive numbers, and floats with 32 bits, are
#            right: there is no error anywhere.
# Here:      a Struct says of each number what it is; `q` has 64 bits, and `d` is a float with 64.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  lwm2m-codec@0.1.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { decode, encode } = require('lwm2m-codec')

/** One resource of a number in TLV: its type, its id with 8 or 16 bits, its length, its value. */
function resource(id, value) {
  const head = id < 256 ? [0xc0, id] : [0xe0, id >> 8, id & 255]
  if (value.length < 8) head[0] |= value.length
  else {
    head[0] |= 8
    head.push(value.length)
  }
  return Buffer.concat([Buffer.from(head), value])
}
function integer(value, bits) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes.subarray(8 - bits / 8)
}
function float(value, bits) {
  const bytes = Buffer.alloc(bits / 8)
  if (bits === 32) bytes.writeFloatBE(value)
  else bytes.writeDoubleBE(value)
  return bytes
}

const results = {}
// 3/0/9 is a whole number (the level of the battery), 3303/0/5700 the value of a thermometer.
for (const [value, bits] of [
  [80, 8],
  [80, 64],
  [-1, 8],
  [-1, 64],
]) {
  results[`integer ${value}, ${bits} bits`] = decode(
    'tlv',
    '/3/0/9',
    resource(9, integer(value, bits)),
  )
}
results['written and read'] = decode('tlv', '/3/0/9', encode('tlv', '/3/0/9', -5e9))
for (const bits of [32, 64]) {
  const bytes = resource(5700, float(21.5, bits))
  results[`float 21.5, ${bits} bits`] = decode('tlv', '/3303/0/5700', bytes)
}
const list = '</3/0>;pmin=10;pmax=60,</3/0/1>,</3/0/6>;dim=8'
results.list = decode('link', list).resrcList.join(' ')
for (const [name, value] of Object.entries(results)) console.log(`${name}: ${value}`)
const expected = {
  'integer 80, 8 bits': 80,
  'integer 80, 64 bits': 80,
  'integer -1, 8 bits': -1,
  'integer -1, 64 bits': -1 - 2 ** 33,
  'written and read': -9_294_967_296,
  'float 21.5, 32 bits': 21.5,
  'float 21.5, 64 bits': 2.8359375,
  list: '/3/0/1 /3/0/6>;dim=',
}
process.exit(JSON.stringify(results) === JSON.stringify(expected) ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
