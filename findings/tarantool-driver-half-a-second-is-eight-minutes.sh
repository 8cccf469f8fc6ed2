#!/usr/bin/env bash
# tarantool-driver: a time half a second past twelve is read as eight minutes past twelve.
#
# Versions:  the npm package `tarantool-driver`, 3.1.0, on any Node.
# Expected:  a datetime of Tarantool is the seconds, 64 bits with a sign, and nanoseconds: half a
#            second is 500,000,000 (the `nsec` of its documentation; `msec` times 10^6 in its
#            source). A `Date` has milliseconds.
# Seen:      they are taken for microseconds in both directions. What the server has as 12:00:00.5
#            is 12:08:20; with a full second it is right. What the driver sends for 12:00:00.5 is
#            half a millisecond after 12 to the server, and to every other client. The driver reads
#            back what it has written itself, so its tests hold. A `Date` after January 2038 cannot
#            be sent, and one before 1970 neither sent nor read: it is an Invalid Date.
# Here:      durations and times have their unit in the type, and a test of it.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  tarantool-driver@3.1.0 msgpack-lite@0.1.26 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { createServer } = require('node:net')
const msgpack = require('msgpack-lite')
const Tarantool = require('tarantool-driver')

// Of the binary protocol: what a request is, and where its arguments and the answer's data are.
const SYNC = 1
const SCHEMA = 5
const TUPLE = 0x21
const DATA = 0x30
const DATETIME = 4

/** The extension of a datetime, as Tarantool has it. */
class Datetime {
  constructor(seconds, nanoseconds) {
    Object.assign(this, { seconds, nanoseconds })
  }
}
const codec = msgpack.createCodec()
codec.addExtPacker(DATETIME, Datetime, ({ seconds, nanoseconds }) => {
  const bytes = Buffer.alloc(16)
  bytes.writeBigInt64LE(BigInt(seconds))
  bytes.writeInt32LE(nanoseconds, 8)
  return bytes
})
codec.addExtUnpacker(DATETIME, bytes => {
  const view = Buffer.from(bytes)
  const nanoseconds = view.length > 8 ? view.readInt32LE(8) : 0
  return new Datetime(Number(view.readBigInt64LE()), nanoseconds)
})

let answer
const received = []
/** A server that greets, keeps the arguments of each call, and gives one answer. */
const server = createServer(socket => {
  const salt = Buffer.alloc(32).toString('base64')
  socket.write(`Tarantool 2.11.0 (Binary) 0`.padEnd(63) + '\n' + salt.padEnd(63) + '\n')
  socket.on('data', data => {
    const decoder = new msgpack.Decoder({ codec })
    decoder.write(data)
    decoder.fetch()
    const header = decoder.fetch()
    const { [TUPLE]: tuple } = decoder.fetch()
    received.push(...tuple)
    // Keys are numbers here, so the two maps are written byte by byte.
    const body = Buffer.concat([
      Buffer.from([0x83, 0, 0, SYNC]),
      msgpack.encode(header[SYNC]),
      Buffer.from([SCHEMA, 80, 0x81, DATA]),
      msgpack.encode([answer], { codec }),
    ])
    // The length in front has always five bytes, as that of Tarantool itself.
    socket.write(Buffer.concat([Buffer.from([0xce, 0, 0, 0, body.length]), body]))
  })
})

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = new Tarantool(`127.0.0.1:${server.address().port}`)
  const noon = Date.UTC(2026, 10, 28, 12)
  const results = []
  for (const milliseconds of [0, 500]) {
    answer = new Datetime(noon / 1000, milliseconds * 1e6)
    const [read] = await client.call('time', new Date(noon + milliseconds))
    const { nanoseconds } = received.at(-1)
    results.push(read.toISOString().slice(11), nanoseconds)
    console.log(`12:00:00 and ${milliseconds} ms: read as ${results.at(-2)},`)
    console.log(`  sent with ${nanoseconds} ns`)
  }
  answer = new Datetime(-1, 0)
  const [before] = await client.call('time', 1)
  console.log('a second before 1970 is read as', String(before))
  const expected = ['12:00:00.000Z', 0, '12:08:20.000Z', 500_000]
  process.exit(results.join() === expected.join() && Number.isNaN(+before) ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
