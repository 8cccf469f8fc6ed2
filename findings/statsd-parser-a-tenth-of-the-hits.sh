#!/usr/bin/env bash
# statsd-parser: a counter that is sampled counts a tenth, if a chunk ends before its rate.
#
# Versions:  the npm package `statsd-parser`, 0.0.4, on any Node.
# Expected:  "hits:3|c|@0.1" is a line: three were counted, one in ten was looked at, so there were
#            thirty. The package is a "streaming parser": it keeps a beginning until its line end
#            has come, wherever TCP has cut.
# Seen:      at the end of each chunk it tries what it has, and takes it if it is a line. With a cut
#            in front of "|@0.1" it is one, of a counter without a rate: three. The rest is an
#            error, "not valid stats", about a line that nobody has sent. With a cut behind "@0" the
#            rate is 0, and there were infinitely many. It is right in nine of thirteen places, as
#            the beginning is no line there, and in each test that writes whole ones.
# Here:      a delimiter: a line is what stands before its end, however it was cut.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  statsd-parser@0.0.4 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const statsd = require('statsd-parser')

const LINE = 'hits:3|c|@0.1\n'

/** What is counted of the line, if it is cut there, and how many errors there are. */
function counted(cut) {
  const stream = statsd.createStream()
  const found = []
  let errors = 0
  stream.on('stat', (_text, stat) => found.push(Number(stat.value) / (stat.sample_rate ?? 1)))
  stream.on('error', () => errors++)
  stream.write(LINE.slice(0, cut))
  stream.write(LINE.slice(cut))
  return `${found.join('+')}${'!'.repeat(errors)}`
}

const results = {}
for (let cut = 1; cut < LINE.length; cut++) {
  results[JSON.stringify(LINE.slice(0, cut))] = counted(cut)
}
for (const [beginning, count] of Object.entries(results)) {
  if (count !== '30') console.log(`cut behind ${beginning}: ${count}`)
}
const wrong = Object.entries(results).filter(([, count]) => count !== '30')
const expected = [
  ['"hits:3|c"', '3!'],
  ['"hits:3|c|@"', '3!'],
  ['"hits:3|c|@0"', 'Infinity!'],
  ['"hits:3|c|@0."', 'Infinity!'],
]
console.log('right in', Object.keys(results).length - wrong.length, 'places')
process.exit(JSON.stringify(wrong) === JSON.stringify(expected) ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
