#!/usr/bin/env bash
# glossy: a syslog text with brackets loses its beginning.
#
# Versions:  the npm packages `glossy`, 0.1.7, and `nsyslog-parser`, 0.10.1, on any Node.
# Expected:  in RFC 5424 the structured data comes first, and then the text, which may have any
#            characters. So of `[a@1 k="v"] job [7] failed` the text is "job [7] failed", and that
#            is what nsyslog-parser gives.
# Seen:      glossy gives "failed", and of `[a@1 k="v"] done [7]` nothing at all: what is behind the
#            last bracket of the line is the text to it. Without structured data (`-`), or without
#            brackets, the text is right; so a test with the examples of the RFC finds nothing. And
#            an element that somebody has quoted in the text, `got [b@2 x="y"] here`, becomes
#            structured data of the event: nsyslog-parser takes that for it as well.
# Here:      a sluice server of syslog gives the program the line as it came.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  glossy@0.1.7 nsyslog-parser@0.10.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { Parse } = require('glossy')
const nsyslog = require('nsyslog-parser')

const rests = [
  '[a@1 k="v"] job failed',
  '- job [7] failed',
  '[a@1 k="v"] job [7] failed',
  '[a@1 k="v"] done [7]',
  '[a@1 k="v"] got [b@2 x="y"] here',
]
const seen = rests.map(rest => {
  const line = `<165>1 2026-01-27T12:34:56.000Z host app 12 id ${rest}`
  const { message, structuredData } = Parse.parse(line)
  const other = nsyslog(line).message
  console.log(rest, { glossy: message, structuredData, nsyslog: other })
  return [message, Object.keys(structuredData ?? {}).join(), other]
})
const expected = [
  ['job failed', 'a@1', 'job failed'],
  ['job [7] failed', '', 'job [7] failed'],
  ['failed', 'a@1', 'job [7] failed'],
  ['', 'a@1', 'done [7]'],
  ['here', 'a@1,b@2', 'here'],
]
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1)
PROGRAM

cd "$folder" && timeout 30 node program.cjs
