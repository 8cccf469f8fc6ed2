#!/usr/bin/env bash
# sdp-transform: a media line with a number of ports is written as "m=undefined NaN undefined".
#
# Versions:  the npm packages `sdp-transform`, 3.0.0, and `sdp`, 3.2.2, on any Node.
# Expected:  `write(parse(text))` has the same lines as the text, or `parse` has them in `invalid`.
#            A session description may say "m=audio 54400/2 RTP/AVP 0" (two pairs of ports), have a
#            line `t=` for each time that it takes place (RFC 8866, 5.14 and 5.9), and several words
#            in `a=ice-options` (RFC 8839, 5.6), as "trickle renomination" of browsers.
# Seen:      the first is an object without type, port and protocol, and becomes the line above when
#            it is written. Of several times the last one is left, of the words the first. Nothing
#            is in `invalid`, and nothing is thrown. `sdp` reads the port. With one port, one time,
#            and "trickle" alone, as most have, all is well, so a test finds nothing. A program that
#            changes one line of an offer changes others with it.
# Here:      nothing of sluice reads session descriptions.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  sdp-transform@3.0.0 sdp@3.2.2 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { parseMLine } = require('sdp')
const { parse, write } = require('sdp-transform')

/** What becomes of these lines when they are read and written, and what was called invalid. */
function again(session, media) {
  const lines = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', ...session, ...media]
  const description = parse(lines.join('\r\n') + '\r\n')
  const written = write(description).split('\r\n')
  const invalid = [description, ...description.media].flatMap(part => part.invalid ?? [])
  return [...written.filter(line => !lines.includes(line) && line), invalid.length].join('|')
}

const TIMES = ['t=3034423619 3042462419', 't=3151051200 3151058400']
const AUDIO = 'm=audio 54400 RTP/AVP 0'
const MORE = 'm=audio 54400/2 RTP/AVP 0'
let same = true
for (const [session, media, changed, gone] of [
  [TIMES.slice(1), [AUDIO, 'a=ice-options:trickle'], '0', ''],
  [TIMES.slice(1), [MORE], 'm=undefined NaN undefined |0', MORE],
  [TIMES, [AUDIO], '0', TIMES[0]],
  [TIMES.slice(1), [AUDIO, 'a=ice-options:trickle renomination'], 'a=ice-options:trickle|0', ''],
]) {
  const seen = again(session, media)
  const text = ['v=0', ...session, ...media].join('\r\n') + '\r\n'
  const kept = !gone || write(parse(text)).includes(gone)
  console.log(`${[...session, ...media].join(', ')}: new and invalid ${seen}; lost "${gone}"`)
  same &&= seen === changed && kept === !gone
}
const { kind, port, protocol } = parseMLine(MORE)
console.log(`sdp: ${kind} ${port} ${protocol}`)
process.exit(same && port === 54400 ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
