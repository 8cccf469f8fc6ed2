#!/usr/bin/env bash
# hyperdeck-connection: of a line that is cut by the end of a segment only the beginning counts.
#
# Versions:  the npm package `hyperdeck-connection`, 2.0.1, on any Node.
# Expected:  an answer of a HyperDeck is lines that end with CR LF, and an empty one. A client puts
#            lines together, however TCP cuts them.
# Seen:      each segment is split into lines by itself. "clip id: 1" and, in the next segment, "2",
#            are two lines: the command resolves with clip 1, and the "2" is passed over, since it
#            has no colon. So it is with a timecode that is cut behind a digit. There is no error.
#            A recorder sends an answer in one segment as long as it is short and nothing else is
#            under way; the list of a full disk, or a network between, cuts anywhere.
# Here:      a delimiter gives lines that are whole.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  hyperdeck-connection@2.0.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const { createInterface } = require('node:readline')
const { Commands, Hyperdeck } = require('hyperdeck-connection')

const HELLO = '500 connection info:\r\nprotocol version: 1.11\r\nmodel: HyperDeck Studio\r\n\r\n'
const ANSWER =
  '208 transport info:\r\nstatus: play\r\nspeed: 100\r\nslot id: 1\r\nclip id: 12\r\n' +
  'single clip: false\r\ndisplay timecode: 00:00:10:24\r\ntimecode: 00:00:10:24\r\n' +
  'video format: 1080p25\r\nloop: false\r\n\r\n'

/** Many turns of the event loop: what was written has been read by then, however busy it is. */
async function turns() {
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setTimeout(resolve, 2))
}

let cut
const server = net.createServer(socket => {
  socket.setNoDelay()
  socket.write(HELLO)
  createInterface({ input: socket }).on('line', async line => {
    if (line !== 'transport info') socket.write('200 ok\r\n')
    else {
      socket.write(ANSWER.slice(0, cut))
      await turns()
      socket.write(ANSWER.slice(cut))
    }
  })
})

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const deck = new Hyperdeck({ pingPeriod: 0 })
  const connected = once(deck, 'connected')
  deck.connect('127.0.0.1', server.address().port)
  await connected

  const cuts = {
    'behind a line': [ANSWER.indexOf('clip id'), '12 00:00:10:24'],
    'within "12"': [ANSWER.indexOf('12\r\n') + 1, '1 00:00:10:24'],
    'within "24"': [ANSWER.lastIndexOf('24\r\n') + 1, '12 00:00:10:2'],
  }
  let same = true
  for (const [where, [at, expected]] of Object.entries(cuts)) {
    cut = at
    const { clipId, timecode } = await deck.sendCommand(new Commands.TransportInfoCommand())
    console.log(`clip 12 at 00:00:10:24, cut ${where}: clip ${clipId} at ${timecode}`)
    same &&= `${clipId} ${timecode}` === expected
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
