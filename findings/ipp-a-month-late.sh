#!/usr/bin/env bash
# ipp: a date that a printer sends is read as one a month later, and in another time zone.
#
# Versions:  the npm packages `ipp`, 1.1.0, and `ipp-encoder`, 5.0.0, on any Node.
# Expected:  a dateTime of IPP has year, month, day, hour, minute, second, tenth, and the offset to
#            UTC (RFC 8010, 3.9; RFC 2579): printer-current-time, date-time-at-completed. It is a
#            `Date` of that moment, as ipp-encoder, which is for servers, writes and reads it.
# Seen:      `ipp.parse` takes the month as JavaScript counts them, from 0. So each job was printed
#            a month later than it was, and what was printed on 31 January is from 3 March.
#            It passes over the offset, and takes the time for that of its own time zone; and five
#            tenths of a second are five milliseconds. A report that compares two dates of one
#            printer with each other finds nothing, and the month is also right for a program that
#            both writes and reads them with this package.
# Here:      a `Struct` has no dates; a program that makes one of its fields takes one off the
#            month.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  ipp@1.1.0 ipp-encoder@5.0.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { execFileSync } = require('node:child_process')
const { CONSTANTS, response } = require('ipp-encoder')
const ipp = require('ipp')

const NAME = 'printer-current-time'
const attribute = (tag, name, value) => ({ tag, name, value: [value] })

/** The answer of a printer to Get-Printer-Attributes. ipp-encoder writes its own time zone. */
function answer(date) {
  const operation = [
    attribute(CONSTANTS.CHARSET, 'attributes-charset', 'utf-8'),
    attribute(CONSTANTS.NATURAL_LANG, 'attributes-natural-language', 'en'),
  ]
  return response.encode({
    version: { major: 1, minor: 1 },
    statusCode: 0,
    requestId: 1,
    groups: [
      { tag: CONSTANTS.OPERATION_ATTRIBUTES_TAG, attributes: operation },
      {
        tag: CONSTANTS.PRINTER_ATTRIBUTES_TAG,
        attributes: [attribute(CONSTANTS.DATE_TIME, NAME, date)],
      },
    ],
  })
}

const readByEncoder = bytes => response.decode(bytes).groups[1].attributes[0].value[0]
const readByIpp = bytes => ipp.parse(bytes)['printer-attributes-tag'][NAME]

if (process.argv[2]) {
  process.stdout.write(answer(new Date(process.argv[2])))
} else {
  // This program is in UTC; the printer is where the second column says.
  const cases = [
    ['2026-11-28T05:00:00.000Z', 'UTC', '2026-12-28T05:00:00.000Z'],
    ['2026-01-31T05:00:00.000Z', 'UTC', '2026-03-03T05:00:00.000Z'],
    ['2026-11-28T05:00:00.500Z', 'UTC', '2026-12-28T05:00:00.005Z'],
    ['2026-11-28T05:00:00.000Z', 'Asia/Tokyo', '2026-12-28T14:00:00.000Z'],
  ]
  let same = true
  for (const [date, TZ, expected] of cases) {
    const bytes = execFileSync(process.execPath, [__filename, date], {
      env: { ...process.env, TZ },
    })
    const [right, seen] = [readByEncoder(bytes), readByIpp(bytes)].map(read => read.toISOString())
    console.log(`${date} from ${TZ}: ipp-encoder reads ${right}, ipp ${seen}`)
    same &&= right === date && seen === expected
  }
  process.exit(same ? 0 : 1)
}
PROGRAM

cd "$folder" && TZ=UTC NODE_NO_WARNINGS=1 timeout 60 node program.cjs
