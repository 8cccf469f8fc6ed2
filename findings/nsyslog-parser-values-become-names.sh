#!/usr/bin/env bash
# nsyslog-parser: what stands in quotes becomes a parameter of its own, and takes another's place.
#
# Versions:  the npm package `nsyslog-parser`, 0.10.1, on any Node.
# Expected:  in the structured data of RFC 5424 a value stands in quotes, and is any text; a quote,
#            a backslash or a closing bracket in it has a backslash in front (6.3.3). An element may
#            have no parameters (6.3.1), as `[x@1]`. The example with two elements is read rightly.
# Seen:      the element is split at blanks and at "=", whatever is in quotes. Of unit="C"
#            note="was unit=F before" the unit is "F before", and the note "was". An element with an
#            escaped quote in a value is not there at all, and the one without parameters is taken
#            for the beginning of the message. There is no error. Values of one word are right, so
#            a first test finds nothing.
# Here:      nothing of sluice takes the text of a message apart.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  nsyslog-parser@0.10.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const parse = require('nsyslog-parser')

const HEAD = '<165>1 2026-11-28T08:00:00.000Z host app 1 ID'
let same = true
for (const [data, expected] of [
  ['[a@1 unit="C" note="warm"][b@1 n="2"] text', '[a@1 unit=C note=warm] [b@1 n=2] "text"'],
  ['[a@1 unit="C" note="was unit=F before"] text', '[a@1 unit=F before note=was] "text"'],
  ['[a@1 say="\\"hi\\" all"][b@1 n="2"] text', '[b@1 n=2] "text"'],
  ['[a@1] text', '"[a@1] text"'],
]) {
  const { structuredData, message } = parse(`${HEAD} ${data}`)
  const elements = structuredData.map(({ $id, ...parameters }) => {
    const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`)
    return `[${[$id, ...pairs].join(' ')}]`
  })
  const seen = [...elements, JSON.stringify(message.trim())].join(' ')
  console.log(`${data} is read as ${seen}`)
  same &&= seen === expected
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
