#!/usr/bin/env bash
# webrtc-stun: the answer of a usual STUN server has a wrong checksum, it says.
#
# Versions:  the npm package `webrtc-stun`, 3.0.0, and `stun`, 2.1.0, on any Node.
# Expected:  a reader passes over an attribute of 0x8000 or more that it does not know (RFC 5389,
#            15). Servers send RESPONSE-ORIGIN, 0x802B (RFC 5780; coturn did with each answer until
#            2025). The checksum, FINGERPRINT, is over the bytes that came. An attribute may be
#            empty: that with which ICE chooses a path, USE-CANDIDATE, is.
# Seen:      what is unknown is dropped while reading, and the checksum is made of what is left. So
#            the answer is loaded, its address can be read, and `isBindingResponseSuccess` with
#            `fingerprint: true`, as its page has it, says no. Without that attribute it says yes.
#            It is so with `integrityKey` too. A message with an empty attribute is not loaded at
#            all: of the requests of a browser the one that decides.
# Here:      a checksum is made of the bytes as they came, before anything is read.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  webrtc-stun@3.0.0 stun@2.1.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { randomBytes } = require('node:crypto')
const { decode, validateFingerprint } = require('stun')
const stun = require('webrtc-stun')

const COOKIE = 0x2112a442
const BINDING_REQUEST = 0x0001
const BINDING_SUCCESS = 0x0101

function crc32(bytes) {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc
}
function attribute(type, value) {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4)
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(value.length, 2)
  value.copy(bytes, 4)
  return bytes
}
/** A message with these attributes, and a FINGERPRINT behind them. */
function message(type, id, ...attributes) {
  const body = Buffer.concat(attributes)
  const header = Buffer.alloc(8)
  header.writeUInt16BE(type, 0)
  header.writeUInt16BE(body.length + 8, 2)
  header.writeUInt32BE(COOKIE, 4)
  const bytes = Buffer.concat([header, id, body])
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE((crc32(bytes) ^ 0x5354554e) >>> 0)
  return Buffer.concat([bytes, attribute(0x8028, checksum)])
}

const id = randomBytes(12)
// 192.0.2.1:40000, changed by the cookie as XOR-MAPPED-ADDRESS is.
const port = 40000 ^ (COOKIE >>> 16)
const address = (0xc0000201 ^ COOKIE) >>> 0
const value = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])
value.writeUInt16BE(port, 2)
value.writeUInt32BE(address, 4)
const mapped = attribute(0x0020, value)
const origin = attribute(0x802b, Buffer.from([0, 1, 0x0d, 0x96, 192, 0, 2, 9]))
const priority = attribute(0x0024, Buffer.from([110, 0, 30, 255]))
const useCandidate = attribute(0x0025, Buffer.alloc(0))

// What it does not know is printed, line by line.
const log = console.log
console.log = () => {}
const results = {}
for (const [name, bytes] of Object.entries({
  'an answer': message(BINDING_SUCCESS, id, mapped),
  'with RESPONSE-ORIGIN': message(BINDING_SUCCESS, id, mapped, origin),
  'a request': message(BINDING_REQUEST, id),
  'with PRIORITY': message(BINDING_REQUEST, id, priority),
  'and USE-CANDIDATE': message(BINDING_REQUEST, id, priority, useCandidate),
})) {
  const read = stun.createBlank()
  const loaded = read.loadBuffer(bytes)
  const valid =
    read.isBindingResponseSuccess({ transactionId: id.toString('hex'), fingerprint: true }) ||
    read.isBindingRequest({ fingerprint: true })
  const mine = read.getXorMappedAddressAttribute()?.address ?? 'none'
  results[name] = [validateFingerprint(decode(bytes)), loaded, loaded && valid, mine].join()
  log(`${name}: valid by stun, loaded, valid, address: ${results[name]}`)
}
const expected = {
  'an answer': 'true,true,true,192.0.2.1',
  'with RESPONSE-ORIGIN': 'true,true,false,192.0.2.1',
  'a request': 'true,true,true,none',
  'with PRIORITY': 'true,true,false,none',
  'and USE-CANDIDATE': 'true,false,false,none',
}
process.exit(JSON.stringify(results) === JSON.stringify(expected) ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
