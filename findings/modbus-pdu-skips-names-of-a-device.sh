#!/usr/bin/env bash
# modbus-pdu: after the second name of a device comes the eleventh, and 264 events are 255.
#
# Versions:  the npm package `modbus-pdu`, 1.14.1 (that of modbus-stream, 0.46.0), on any Node.
# Expected:  a device tells its names in several answers; an answer that is not the last says with
#            which object the next one begins. An object may be given by its number, or by its name,
#            as the parser gives it: "ProductCode" is 1. The counter of events is 16 bits, and so is
#            the status before it (Modbus application protocol, 6.9 and 6.21).
# Seen:      the number of a name is text there, so one more than "1" is 11: the client goes on with
#            the object 11, and never sees version, address and model. With numbers it is right, and
#            after the first name, 0, by chance too ("01"). Of the counter one byte is read, the
#            second of the status: of an idle device, with 0, all seems right; a busy one, 0xFFFF,
#            has always 255 events. What it writes has two bytes where every client wants four.
# Here:      a Struct says `>HH`; a name is looked up once, and gives a number.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  modbus-pdu@1.14.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { GetCommEventCounter, ReadDeviceIdentification } = require('modbus-pdu')

const NAMES = ['VendorName', 'ProductCode', 'MajorMinorRevision']

/** With which object a client goes on, after an answer with so many, given by name or by number. */
function next(count, byName) {
  const objects = NAMES.slice(0, count).map((name, id) => ({
    id: byName ? name : id,
    value: Buffer.from('x'),
  }))
  const { Response } = ReadDeviceIdentification
  const type = 'BasicDeviceIdentification'
  return Response.parse(Response.build(type, type, true, objects)).next
}

const results = { numbers: [], names: [] }
for (const count of [1, 2, 3]) {
  results.numbers.push(next(count, false))
  results.names.push(next(count, true))
}
const counted = [
  [0x0000, 264],
  [0xffff, 264],
].map(([status, events]) => {
  const answer = Buffer.alloc(5)
  answer[0] = GetCommEventCounter.Code
  answer.writeUInt16BE(status, 1)
  answer.writeUInt16BE(events, 3)
  return GetCommEventCounter.Response.parse(answer).event_count
})
const written = GetCommEventCounter.Response.build(0, 7).length
console.log('next object after 1, 2 and 3, by number:', ...results.numbers)
console.log('next object after 1, 2 and 3, by name:  ', ...results.names)
console.log('264 events of an idle device:', counted[0], '- of a busy one:', counted[1])
console.log('bytes of an answer that it writes:', written, 'of 5')
const seen = [...results.numbers, ...results.names, ...counted, written].join()
process.exit(seen === [1, 2, 3, 1, 11, 21, 0, 255, 3].join() ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
