#!/usr/bin/env bash
# @serialport/parser-readline, -delimiter and -slip-encoder: `for await` gives several lines as one.
#
# Versions:  the npm packages `@serialport/parser-readline`, `@serialport/parser-delimiter` and
#            `@serialport/parser-slip-encoder`, 13.0.0, on any Node.
# Expected:  `for await (const line of socket.pipe(new ReadlineParser()))` gives line after line, as
#            the event 'data' does.
# Seen:      lines that have come in one chunk are one string, without what was between them: one,
#            two, three are "onetwothree". What the delimiter parser and the SLIP decoder give is
#            joined as well. (The parsers are no streams of objects, and the iterator reads all that
#            is there.) A device that sends one line a second shows nothing of it.
# Here:      `for await (const line of client)` gives one read each.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  @serialport/parser-readline@13.0.0 @serialport/parser-delimiter@13.0.0 \
  @serialport/parser-slip-encoder@13.0.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { connect, createServer } = require('node:net')
const { DelimiterParser } = require('@serialport/parser-delimiter')
const { ReadlineParser } = require('@serialport/parser-readline')
const { SlipDecoder } = require('@serialport/parser-slip-encoder')

const parsers = {
  readline: [() => new ReadlineParser(), '\n'],
  delimiter: [() => new DelimiterParser({ delimiter: '\n' }), '\n'],
  slip: [() => new SlipDecoder(), '\xc0'],
}

async function read(make, end, iterate) {
  const text = ['one', 'two', 'three', ''].join(end)
  const server = createServer(socket => socket.end(Buffer.from(text, 'latin1')))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const parser = connect(server.address().port, '127.0.0.1').pipe(make())
  const seen = []
  if (iterate) for await (const line of parser) seen.push(String(line))
  else await once(parser.on('data', line => seen.push(String(line))), 'end')
  server.close()
  return seen
}

async function main() {
  let same = true
  for (const [name, [make, end]] of Object.entries(parsers)) {
    const events = await read(make, end, false)
    const iterated = await read(make, end, true)
    console.log(`${name}: by 'data'`, events, 'by for await', iterated)
    same &&= String(events) === 'one,two,three' && String(iterated) === 'onetwothree'
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 30 node program.cjs
