#!/usr/bin/env bash
# nmea-simple, nmea: with a newer receiver, each list of satellites has one that is not there.
#
# Versions:  the npm packages `nmea-simple`, 3.3.0, `nmea`, 0.1.2, and `gps`, 0.9.0, on any Node.
# Expected:  a sentence GSV has up to four satellites, of four fields each; since NMEA 4.10 there is
#            one more field at its end, the id of the signal. Two satellites are two, as `gps` reads
#            them.
# Seen:      the other two take the id for a satellite: number 1 for GPS L1, 7 for Galileo E1, with
#            NaN for its height, direction and strength. And where no satellite is in view there is
#            still this one. `satellitesInView` is right, and so is everything from a receiver of an
#            older version. Whoever goes by the number overwrites the real satellite 1 with NaN.
# Here:      nothing of sluice takes a sentence apart; a parser on a line counts its fields.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  nmea-simple@3.3.0 nmea@0.1.2 gps@0.9.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { GPS } = require('gps')
const nmea = require('nmea')
const { parseNmeaSentence } = require('nmea-simple')

function sentence(text) {
  const sum = Buffer.from(text).reduce((all, byte) => all ^ byte, 0)
  return `$${text}*${sum.toString(16).toUpperCase().padStart(2, '0')}`
}

const parsers = {
  gps: line => GPS.Parse(line).satellites.map(({ prn, snr }) => `${prn}:${snr}`),
  'nmea-simple': line =>
    parseNmeaSentence(line).satellites.map(({ prnNumber, SNRdB }) => `${prnNumber}:${SNRdB}`),
  nmea: line => nmea.parse(line).satellites.map(({ id, SNRdB }) => `${+id}:${SNRdB}`),
}

let same = true
for (const [text, right, wrong] of [
  ['GPGSV,1,1,02,21,84,210,47,05,30,110,40', '21:47 5:40', '21:47 5:40'],
  ['GPGSV,1,1,02,21,84,210,47,05,30,110,40,1', '21:47 5:40', '21:47 5:40 1:NaN'],
  ['GAGSV,1,1,01,12,40,083,39,7', '12:39', '12:39 7:NaN'],
  ['GLGSV,1,1,00,1', '', '1:NaN'],
])
  for (const [name, parse] of Object.entries(parsers)) {
    const seen = parse(sentence(text)).join(' ')
    console.log(`${text} of ${name}: ${seen}`)
    same &&= seen === (name === 'gps' ? right : wrong)
  }
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
