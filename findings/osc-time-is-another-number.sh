#!/usr/bin/env bash
# osc, osc-js: `Date.now()` arrives as another number, and as a different one from each.
#
# Versions:  the npm packages `osc`, 2.4.5, `osc-js`, 2.4.1, and `node-osc`, 11.7.1, on any Node.
# Expected:  OSC has integers of 32 and of 64 bits, floats and doubles. A number that none of the
#            types that a library chooses can hold is an error (so does node-osc: RangeError).
# Seen:      1700000000123 leaves osc as a float of 32 bits, 1700000038912: 39 seconds off. So do
#            all odd numbers above 2^24, such as ids. From osc-js it is -807049093, its lower 32
#            bits. And node-osc and osc-js choose by the value: a fader at 0.5 is a float, at 1 an
#            integer, so a receiver that looks for ",f" misses both ends of its way.
# Here:      a Struct writes the type that its format says.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" --ignore-scripts \
  osc@2.4.5 osc-js@2.4.1 node-osc@11.7.1 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { Client } from 'node-osc'

const require = createRequire(import.meta.url)
const osc = require('osc')
const { Message } = require('osc-js')

const socket = createSocket('udp4').bind(0, '127.0.0.1')
await once(socket, 'listening')
const client = new Client('127.0.0.1', socket.address().port)

const write = {
  osc: value => Buffer.from(osc.writePacket({ address: '/a', args: [value] })),
  'osc-js': value => Buffer.from(new Message('/a', value).pack()),
  'node-osc': async value => {
    const message = once(socket, 'message')
    await client.send('/a', value)
    return (await message)[0]
  },
}

/** The type and the value of the only argument: "/a", ",i" or ",f", four bytes. */
function read(bytes) {
  const type = String.fromCharCode(bytes[5])
  return `${type} ${type === 'f' ? bytes.readFloatBE(8) : bytes.readInt32BE(8)}`
}

const seen = {}
for (const [name, pack] of Object.entries(write)) {
  seen[name] = []
  for (const value of [0.5, 1, 1700000000123])
    try {
      seen[name].push(read(await pack(value)))
    } catch (error) {
      seen[name].push(error.name)
    }
}
console.log('0.5, 1 and 1700000000123 as', seen)
const ok =
  String(seen.osc) === 'f 0.5,f 1,f 1700000038912' &&
  String(seen['osc-js']) === 'f 0.5,i 1,i -807049093' &&
  String(seen['node-osc']) === 'f 0.5,i 1,RangeError'
process.exit(ok ? 0 : 1)
PROGRAM

cd "$folder" && timeout 30 node program.mjs
