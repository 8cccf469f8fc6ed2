#!/usr/bin/env bash
# syslog-parse: on the 31st what was written in September is in October; without "<34>" all is an
# emergency of the kernel.
#
# Versions:  the npm package `syslog-parse`, 2.0.0, on any Node.
# Expected:  "Sep 15 10:00:00" is in September, and of this year as it says nothing else. A line of
#            a log file has no number in front (rsyslog writes none); `parse` takes such a line, and
#            says what is in it.
# Seen:      it takes the time of now, and sets month, day and hour one after the other. On the 31st
#            of a month "September" gives the 31st of September, which is October 1, and then the
#            day 15: a month late. On the 29th, 30th and 31st of January February is March. Each
#            other day is right, and so are all tests. The milliseconds are those of now. A line
#            without number has the severity "emerg" of the facility "kern", as both are 0 then:
#            each line of a file is the end of the world.
# Here:      a time is made from all its parts at once; what a line does not say is undefined.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  syslog-parse@2.0.0 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import parse from 'syslog-parse'

// The clock, and nothing else, is set to a day.
const RealDate = Date
let now
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length) super(...parts)
    else super(...now)
  }
}
/** The month and day that the package reads on that day, both counted from 1. */
function read(day, text) {
  now = day
  const { time } = parse(`<34>${text} 10:00:00 host su[1]: it failed`)
  return `${time.getMonth() + 1}/${time.getDate()}`
}

const results = {
  'on October 30': read([2026, 9, 30], 'Sep 15'),
  'on October 31': read([2026, 9, 31], 'Sep 15'),
  'on January 28': read([2026, 0, 28], 'Feb 10'),
  'on January 29': read([2026, 0, 29], 'Feb 10'),
}
console.log('September 15, read', JSON.stringify(results, null, 1).replace(/["{}\n]/g, ''))
const line = parse('Sep 15 10:00:00 host su[1]: session opened')
console.log('a line without number:', line.facility, line.severity)
const same =
  Object.values(results).join() === '9/15,10/15,2/10,3/10' &&
  line.facility === 'kern' &&
  line.severity === 'emerg' &&
  line.message === 'session opened'
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
