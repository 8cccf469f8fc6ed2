#!/usr/bin/env bash
# ggencoder: of the ships that satellites hear, those in the north east are the only ones.
#
# Versions:  the npm package `ggencoder`, 1.0.10, on any Node.
# Expected:  AIS message 27, which ships send to be heard by satellites, has the longitude in 18
#            bits and the latitude in 17, each with a sign (ITU-R M.1371). `lat` and `lon` are the
#            position, as they are of message 1, and `valid` says that all is well.
# Seen:      the two are read without their signs. West of Greenwich and south of the equator they
#            are beyond 180 and 90 degrees, so the message is no position: `valid` is false, without
#            `lat` and `lon`. So it is in three quarters of the earth. A test in Europe or Asia
#            finds nothing, and message 1 is right everywhere.
# Here:      a Struct says of each number its size and whether it has a sign.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  ggencoder@1.0.10 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { AisDecode, AisEncode } = require('ggencoder')

/** A sentence with the fields [number, bits], six bits to a character. */
function sentence(fields) {
  const bits = fields
    .map(([number, size]) => BigInt.asUintN(size, BigInt(number)).toString(2).padStart(size, '0'))
    .join('')
  const text = bits.replace(/.{6}/g, six => {
    const value = parseInt(six, 2)
    return String.fromCharCode(value + (value < 40 ? 48 : 56))
  })
  const body = `AIVDM,1,1,,A,${text},0`
  const sum = Buffer.from(body).reduce((all, byte) => all ^ byte, 0)
  return `!${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}`
}

/** Type, repeat, MMSI, accuracy, RAIM, status, position, speed, course, GNSS, spare. */
function longRange(lat, lon) {
  const head = [
    [27, 6],
    [3, 2],
    [227006760, 30],
    [1, 1],
    [0, 1],
    [0, 4],
  ]
  const place = [
    [Math.round(lon * 600), 18],
    [Math.round(lat * 600), 17],
  ]
  return sentence([...head, ...place, [12, 6], [90, 9], [0, 1], [0, 1]])
}

let same = true
for (const [place, lat, lon] of [
  ['Bergen', 60.5, 5.25],
  ['New York', 40.5, -74],
  ['Sydney', -33.75, 151.25],
  ['Rio', -22.75, -43.25],
]) {
  const far = new AisDecode(longRange(lat, lon))
  const near = { aistype: 1, repeat: 0, mmsi: '227006760', navstatus: 0, lat, lon, sog: 1, cog: 1 }
  const ordinary = new AisDecode(new AisEncode({ ...near, rot: 0, hdg: 1, smi: 0 }).nmea)
  const seen = [far, ordinary].map(({ valid, lat, lon }) => `${valid} ${lat} ${lon}`)
  console.log(`${place}, ${lat} ${lon}: message 27 ${seen[0]}, message 1 ${seen[1]}`)
  const right = `true ${lat} ${lon}`
  same &&= seen[0] === (lat > 0 && lon > 0 ? right : 'false undefined undefined')
  same &&= seen[1] === right
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
