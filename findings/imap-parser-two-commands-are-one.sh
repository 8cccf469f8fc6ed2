#!/usr/bin/env bash
# imap-parser: two commands are one if a chunk ends between CR and LF, and "Anna's" is two words.
#
# Versions:  the npm package `imap-parser`, 0.0.3, on any Node.
# Expected:  it is a stream, "piping data directly in": a line ends at CRLF, however TCP has cut. A
#            word of IMAP, an atom, may have an apostrophe in it: `ATOM-CHAR` leaves out quotes, but
#            only double ones (RFC 3501, 9). A literal, {3} and three bytes, is a text; the NIL that
#            stands for "none" has no length in front.
# Seen:      CR and LF are looked for in the same chunk. If the LF is the first byte of the next,
#            both are taken for letters, and the next line is a part of this one: "NOOP\r\na2" is a
#            word. There is no error, and the second command is never answered. An apostrophe begins
#            a text, so the mailbox Anna's is "Anna" and "s". The password NIL, sent as a literal,
#            is null, and an empty one at the end of a line is left out.
# Here:      a delimiter finds its two bytes across chunks; the tests cut at every place.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  imap-parser@0.0.3 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const Parser = require('imap-parser')

/** What is read of chunks, as JSON; each line is one array. */
function read(...chunks) {
  const parser = new Parser()
  const lines = []
  parser.on('data', line => lines.push(JSON.stringify(line)))
  for (const chunk of chunks) parser.write(Buffer.from(chunk))
  return lines.join(' ')
}

const two = 'a1 NOOP\r\na2 NOOP\r\n'
const cuts = {}
for (let cut = 1; cut < two.length; cut++) {
  const lines = read(two.slice(0, cut), two.slice(cut))
  ;(cuts[lines] ??= []).push(JSON.stringify(two[cut - 1]))
}
for (const [lines, ends] of Object.entries(cuts)) {
  console.log(`${lines}, cut behind ${ends.length > 2 ? 'any other byte' : ends.join(', ')}`)
}
const single = {
  "Anna's": read(`a1 SELECT Anna's\r\n`),
  NIL: read('a1 LOGIN anna {3+}\r\nNIL\r\n'),
  nothing: read('a1 LOGIN anna {0+}\r\n\r\n'),
}
for (const [name, line] of Object.entries(single)) console.log(`${name}: ${line}`)
const expected = {
  '["a1","NOOP"] ["a2","NOOP"]': two.length - 3,
  [String.raw`["a1","NOOP\r\na2","NOOP"]`]: 1,
  // The end of the second line is lost.
  '["a1","NOOP"]': 1,
}
const counted = Object.fromEntries(
  Object.entries(cuts).map(([lines, ends]) => [lines, ends.length]),
)
const same =
  JSON.stringify(counted) === JSON.stringify(expected) &&
  single["Anna's"] === '["a1","SELECT","Anna","s"]' &&
  single.NIL === '["a1","LOGIN","anna",null]' &&
  single.nothing === '["a1","LOGIN","anna"]'
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
