#!/usr/bin/env bash
# knx: what a clock says on a Sunday is read as the time of next week; a date is written a month
# later.
#
# Versions:  the npm package `knx`, 2.5.4, on any Node.
# Expected:  a time on the bus (DPT 10.001) has hour, minute, second, and the day of the week: 1 is
#            Monday, 7 Sunday, and 0 means that there is none. It becomes a `Date` of today, if the
#            day is today's, or none. `{ year, month, day }`, which DPT 11.001 takes for a date, is
#            written as that day, with the months from 1 to 12 as they are on the bus.
# Seen:      7 is not what JavaScript calls a Sunday, so on a Sunday the time that a clock sends now
#            is read as a week from now. 0 is, so a time without a day is moved to the Sunday
#            before: on a Saturday it is six days old. With the days 1 to 6 all is well. And of the
#            date the month is taken as JavaScript counts it: November is written as 12, and
#            December as January of the year after. A `Date` is written rightly.
# Here:      nothing of sluice makes a date of a time; a Struct gives the fields that came.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  knx@2.5.4 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const types = require('knx/src/dptlib')

const RealDate = Date
/** `new Date()` is noon of a day of November 2026; the 28th is a Saturday. */
function pretend(day) {
  globalThis.Date = class Date extends RealDate {
    constructor(...parts) {
      super(...(parts.length ? parts : [`2026-11-${day}T12:00:00Z`]))
    }
  }
}
const written = (value, id) => {
  const apdu = {}
  types.populateAPDU(value, apdu, id)
  return apdu.data
}
const time = bytes =>
  types.fromBuffer(Buffer.from(bytes), types.resolve('DPT10.001')).toISOString().slice(0, 16)

const [NONE, FRIDAY, SATURDAY, SUNDAY] = [0, 5, 6, 7]
let same = true
for (const [today, weekday, expected] of [
  [27, FRIDAY, '2026-11-27T11:59'],
  [28, SATURDAY, '2026-11-28T11:59'],
  [29, SUNDAY, '2026-12-06T11:59'],
  [27, NONE, '2026-11-22T11:59'],
  [28, NONE, '2026-11-22T11:59'],
  [29, NONE, '2026-11-29T11:59'],
]) {
  pretend(today)
  const seen = time([(weekday << 5) | 11, 59, 0])
  console.log(`day ${weekday}, 11:59, at noon of 2026-11-${today}: ${seen}`)
  same &&= seen === expected
}
globalThis.Date = RealDate
for (const [value, expected] of [
  [new Date(2026, 10, 28), '28.11.26'],
  [{ year: 2026, month: 11, day: 28 }, '28.12.26'],
  [{ year: 2026, month: 12, day: 28 }, '28.1.27'],
]) {
  const seen = written(value, 'DPT11.001').join('.')
  console.log(`${JSON.stringify(value)}: ${seen}`)
  same &&= seen === expected
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && TZ=UTC timeout 60 node program.cjs
