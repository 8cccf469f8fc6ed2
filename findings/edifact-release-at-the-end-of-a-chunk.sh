#!/usr/bin/env bash
# edifact: a release character at the end of a chunk releases nothing, and one text becomes two.
#
# Versions:  the npm package `edifact`, 1.2.12, on any Node.
# Expected:  "a streaming parser", says its documentation: `write(chunk)` takes the text in any
#            pieces, and the events are those of the text in one piece. "?" makes the character
#            behind it an ordinary one: A?+B is the text "A+B".
# Seen:      if a chunk ends right behind the "?", it is forgotten. The next chunk begins with a
#            separator as if nothing had been in front: "A?|+B" are the two elements A and B, "?|'"
#            ends the segment, so an error follows for the rest, and the second half of "?|?'" makes
#            the end of the segment a part of the text. All other cuts are well; a file of one
#            chunk, or a test with a short message, finds nothing, and a socket cuts anywhere.
# Here:      a `cut()` that meets the release character as the last byte waits for one more.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  edifact@1.2.12 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { Parser } = require('edifact')

const TEXT = "UNH+1+ORDERS:D:96A:UN'FTX+AAI+++FISH ?+ CHIPS:O?'CLOCK??'UNT+3+1'"

/** The segments that come out, as text: elements behind `+`, components in brackets. */
function parse(chunks) {
  const parser = new Parser()
  let out = ''
  parser.onopensegment = name => (out += name)
  parser.onelement = () => (out += '+')
  parser.oncomponent = text => (out += `[${text}]`)
  parser.onclosesegment = () => (out += '\n')
  try {
    for (const chunk of chunks) parser.write(chunk)
    parser.end()
  } catch (error) {
    out += error.message
  }
  return out
}

const whole = parse([TEXT])
const wrong = []
for (let cut = 1; cut < TEXT.length; cut++) {
  const seen = parse([TEXT.slice(0, cut), TEXT.slice(cut)])
  if (seen === whole) continue
  wrong.push(TEXT.slice(cut - 3, cut + 2))
  console.log(`cut as …${TEXT.slice(cut - 3, cut)}|${TEXT.slice(cut, cut + 3)}…:`)
  console.log(seen.split('\n').slice(1).join('\n'))
}
const right = whole.includes("[FISH + CHIPS][O'CLOCK?]")
const split = parse(["UNH+1'FTX+A?", "+B'UNT+3+1'"]) === 'UNH+[1]\nFTX+[A]+[B]\nUNT+[3]+[1]\n'
process.exit(right && split && wrong.join() === "H ?+ ,:O?'C,CK??'" ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
