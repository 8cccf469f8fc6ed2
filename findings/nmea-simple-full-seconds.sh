#!/usr/bin/env bash
# nmea-simple: ten positions of a second have the same time.
#
# Versions:  the npm packages `nmea-simple`, 3.3.0, and `gps`, 0.9.0, on any Node.
# Expected:  a receiver writes the time as hhmmss with a fraction of one, two or three digits, as it
#            likes, and `datetime` of a sentence RMC has it, as `gps` reads it.
# Seen:      with two digits it does. With one or three it is the full second: of a receiver that
#            sends ten positions in a second all have one time, so a speed or a track that is made
#            of them is infinite, or zero, and a key of time and ship keeps one of the ten. In the
#            sentences GGA, GLL and ZDA the same package reads all three, so two sentences of the
#            same moment do not belong together.
# Here:      nothing of sluice reads a time from text.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  nmea-simple@3.3.0 gps@0.9.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { GPS } = require('gps')
const { parseNmeaSentence } = require('nmea-simple')

function sentence(text) {
  const sum = Buffer.from(text).reduce((all, byte) => all ^ byte, 0)
  return `$${text}*${sum.toString(16).toUpperCase().padStart(2, '0')}`
}

const PLACE = '4807.0380,N,01131.0000,E'
const sentences = {
  RMC: time => `GPRMC,${time},A,${PLACE},022.4,084.4,281126,,,A`,
  GGA: time => `GPGGA,${time},${PLACE},1,08,0.9,545.4,M,46.9,M,,`,
  GLL: time => `GPGLL,${PLACE},${time},A,A`,
  ZDA: time => `GPZDA,${time},28,11,2026,00,00`,
}

let same = true
for (const [fraction, milliseconds] of [
  ['', 0],
  ['.4', 400],
  ['.25', 250],
  ['.125', 125],
])
  for (const [name, make] of Object.entries(sentences)) {
    const line = sentence(make(`120000${fraction}`))
    const packet = parseNmeaSentence(line)
    const seen = (packet.datetime ?? packet.time).getUTCMilliseconds()
    const ofGps = GPS.Parse(line).time.getUTCMilliseconds()
    console.log(`${name} of 120000${fraction}: nmea-simple ${seen} ms, gps ${ofGps} ms`)
    same &&= ofGps === milliseconds
    same &&= seen === (name === 'RMC' && fraction.length !== 3 ? 0 : milliseconds)
  }
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
