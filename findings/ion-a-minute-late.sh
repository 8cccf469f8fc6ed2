#!/usr/bin/env bash
# ion-js: in binary, a time of the last half millisecond of a minute is a minute later.
#
# Versions:  the npm package `ion-js`, 5.2.1, on any Node.
# Expected:  Ion has times of any precision; its binary and its text form hold the same values. A
#            time with microseconds, as databases and other languages make them, comes back as it
#            was.
# Seen:      `dumpBinary` of 10:00:59.9996 writes 10:01:59.9996. (The fields of the time come from a
#            `Date`, which rounds to the next millisecond and so to the next minute; second and
#            fraction are the old ones.) In the last half millisecond of a year it is the next year.
#            In text it is right, and so is every other moment: it is one in 120,000. The bytes are
#            wrong, so a reader of any make sees it.
# Here:      nothing of sluice rounds a time; a format sends it as a whole number of its unit.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  ion-js@5.2.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const ion = require('ion-js')

/** Minute and second, as they stand in the bytes of a time in UTC: VarUInts of one byte each. */
function fields(bytes) {
  const end = Buffer.from(bytes)
  // The version mark (4 bytes), the length, the offset, the year in two, month, day and hour.
  return [end[11] & 0x7f, end[12] & 0x7f].join(':')
}

const times = {
  '2026-11-28T10:00:58.9996Z': ['2026-11-28T10:00:58.9996Z', '0:58'],
  '2026-11-28T10:00:59.9994Z': ['2026-11-28T10:00:59.9994Z', '0:59'],
  '2026-11-28T10:00:59.9996Z': ['2026-11-28T10:01:59.9996Z', '1:59'],
  '2026-11-28T10:00:59.999999Z': ['2026-11-28T10:01:59.999999Z', '1:59'],
  '2026-12-31T23:59:59.9999Z': ['2027-01-01T00:00:59.9999Z', '0:59'],
}
let same = true
for (const [text, [later, minuteAndSecond]] of Object.entries(times)) {
  const value = ion.load(text)
  const bytes = ion.dumpBinary(value)
  const seen = [ion.dumpText(ion.load(bytes)), fields(bytes)]
  console.log(`${text}: text ${ion.dumpText(value)}, binary ${seen.join(', bytes ')}`)
  same &&= ion.dumpText(value) === text
  same &&= seen.join() === [later, minuteAndSecond].join()
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
