#!/usr/bin/env bash
# teltonika-parser: the driver's key is a number near zero, and 36 volts are minus 29.5.
#
# Versions:  the npm packages `teltonika-parser`, 0.0.15, and `complete-teltonika-parser`, 0.3.4,
#            on any Node.
# Expected:  in Codec 8 of GPS trackers an element is a whole number of 1, 2, 4 or 8 bytes. The key
#            of the driver (iButton) and the number of the SIM card have 8; the supply voltage has
#            2, in millivolts up to 65,535. So complete-teltonika-parser reads them.
# Seen:      teltonika-parser reads 8 bytes as a float of 64 bits: the key 0x01A4B3C212000001 is
#            9.7e-301, and each key of that family is as near to zero. Elements of 2 and 4 bytes are
#            read with a sign: 36 V, as lorries have with a full battery and a charger, are -29,536
#            mV. Timestamp and position are right, and in the example of the manual the key is 0: a
#            test with that finds nothing.
# Here:      a Struct says of each number its size and whether it has a sign; 8 bytes are a bigint.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  teltonika-parser@0.0.15 complete-teltonika-parser@0.3.4 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { ProtocolParser } = require('complete-teltonika-parser')
const TeltonikaParser = require('teltonika-parser')

const [DIGITAL_INPUT, VOLTAGE, ODOMETER, KEY] = [1, 66, 16, 78]

/** CRC-16/IBM. */
function checksum(bytes) {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}

/** A packet of Codec 8 with one record, which has one element of each size. */
function packet(voltage, odometer, key) {
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(1795842000000n)
  const element = (id, size, value) => {
    const bytes = Buffer.alloc(1 + size)
    bytes[0] = id
    if (size === 8) bytes.writeBigUInt64BE(value, 1)
    else bytes.writeUIntBE(value, 1, size)
    return Buffer.concat([Buffer.from([1]), bytes])
  }
  const body = Buffer.concat([
    Buffer.from([8, 1]),
    time,
    // The priority, no position, then the element that caused the record, and four in all.
    Buffer.from([0, ...Array(15).fill(0), DIGITAL_INPUT, 4]),
    element(DIGITAL_INPUT, 1, 1),
    element(VOLTAGE, 2, voltage),
    element(ODOMETER, 4, odometer),
    element(KEY, 8, key),
    Buffer.from([1]),
  ])
  const bytes = Buffer.alloc(8 + body.length + 4)
  bytes.writeUInt32BE(body.length, 4)
  body.copy(bytes, 8)
  bytes.writeUInt32BE(checksum(body), 8 + body.length)
  return bytes
}

const ids = [DIGITAL_INPUT, VOLTAGE, ODOMETER, KEY]
function complete(bytes) {
  const { Elements } = new ProtocolParser(bytes.toString('hex')).Content.AVL_Datas[0].IOelement
  return ids.map(id => Elements[id])
}
function teltonika(bytes) {
  const { ioElements } = new TeltonikaParser(bytes).getAvl().records[0]
  return ids.map(id => ioElements.find(element => element.id === id).value)
}

let same = true
for (const [voltage, odometer, key] of [
  [24_079, 1_234_567, 0n],
  [36_000, 3_000_000_000, 0x01a4b3c212000001n],
]) {
  const bytes = packet(voltage, odometer, key)
  const [right, seen] = [complete(bytes), teltonika(bytes)]
  console.log('input, voltage, odometer, key:', 1, voltage, odometer, key)
  console.log('  complete-teltonika-parser:  ', ...right)
  console.log('  teltonika-parser:           ', ...seen)
  const [, seenVoltage, seenOdometer, seenKey] = seen
  same &&= right.slice(0, 3).join() === [1, voltage, odometer].join()
  if (key === 0n) same &&= [1, voltage, odometer, 0].join() === seen.join()
  else {
    same &&= seenVoltage === voltage - 2 ** 16 && seenOdometer === odometer - 2 ** 32
    same &&= seenKey > 0 && seenKey < 1e-200
  }
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
