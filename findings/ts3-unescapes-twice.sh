#!/usr/bin/env bash
# ts3-nodejs-library: the name "CORP\steve" arrives as "CORP\ teve".
#
# Versions:  the npm package `ts3-nodejs-library`, 3.5.3, on any Node.
# Expected:  in TeamSpeak's ServerQuery a backslash is written as two, a blank as \s, "|" as \p, a
#            line end as \n. A reader goes through the text once: what stands behind two backslashes
#            is an ordinary character.
# Seen:      it is written rightly, and read in nine passes, that for \\ last. So the second of two
#            backslashes is taken for the beginning of an escape: "C:\new" gets a line end, and
#            "\\server\share" two blanks. What a program has read and writes back is another text
#            each time. It is so with a backslash in front of f, n, p, r, s, t or v; any other
#            letter, and "\o/", are right.
# Here:      a codec reads each escape once, where it stands.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  ts3-nodejs-library@3.5.3 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const { createInterface } = require('node:readline')
const { QueryProtocol, TeamSpeak } = require('ts3-nodejs-library')

// As the manual of ServerQuery has them, without bell and backspace.
const ESCAPES = { '\\': '\\\\', '/': '\\/', ' ': '\\s', '|': '\\p', '\n': '\\n', '\t': '\\t' }
const escape = text => text.replace(/[\\/ |\n\t]/g, character => ESCAPES[character])

let name
let edited
const server = net.createServer(socket => {
  socket.write('TS3\n\rWelcome to the TeamSpeak 3 ServerQuery interface.\n\r')
  createInterface({ input: socket }).on('line', line => {
    if (line.startsWith('serverinfo')) socket.write(`virtualserver_name=${escape(name)}\n\r`)
    if (line.startsWith('version')) socket.write('version=3.13.7 build=1655727713\n\r')
    if (line.startsWith('serveredit')) edited = line.split('virtualserver_name=')[1]
    socket.write('error id=0 msg=ok\n\r')
  })
})

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const teamspeak = await TeamSpeak.connect({
    host: '127.0.0.1',
    queryport: server.address().port,
    protocol: QueryProtocol.RAW,
  })
  const expected = {
    'a b|c/d': 'a b|c/d',
    '\\o/ a\\b': '\\o/ a\\b',
    'CORP\\steve': 'CORP\\ teve',
    'C:\\new': 'C:\\\new',
    '\\\\server\\share': '\\\\ erver\\ hare',
  }
  let same = true
  for (const [text, wrong] of Object.entries(expected)) {
    name = text
    const { virtualserverName } = await teamspeak.serverInfo()
    await teamspeak.serverEdit({ virtualserverName: text })
    console.log(JSON.stringify(text), 'is read as', JSON.stringify(virtualserverName))
    same &&= virtualserverName === wrong && edited === escape(text)
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
