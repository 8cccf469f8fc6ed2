#!/usr/bin/env bash
# telnet-stream: what an option has told becomes what a later option tells.
#
# Versions:  the npm package `telnet-stream`, 1.1.0, on any Node.
# Expected:  the event `sub` gives the data of a subnegotiation as a buffer of its own: the list
#            of a client's terminal types is asked for one by one, and its end is that the same name
#            comes twice (RFC 1091), so the last name is kept, and compared with the next one.
# Seen:      each buffer is a part of one and the same, which the next subnegotiation overwrites.
#            So the name that was kept is always equal to the one that has come, and the list ends
#            at its second name; "XTERM" and then a window of 80 by 24 is a terminal with the name
#            "P\0\x18RM". What is made a text in the handler at once is right, so a first test,
#            that prints it, finds nothing.
# Here:      what a sluice codec gives stays as it is: a message is copied, or has its own memory.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  telnet-stream@1.1.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { TelnetInput } = require('telnet-stream')

const [IAC, SB, SE] = [255, 250, 240]
const [TERMINAL_TYPE, WINDOW_SIZE, IS] = [24, 31, 0]
const option = (code, ...bytes) => Buffer.from([IAC, SB, code, ...bytes, IAC, SE])
const type = name => option(TERMINAL_TYPE, IS, ...Buffer.from(name))
const list = ['XTERM', 'VT220', 'VT100', 'VT100']

async function main() {
  const input = new TelnetInput()
  input.resume()
  const [names, kept] = [[], []]
  let last
  let ended = 0
  input.on('sub', (code, data) => {
    kept.push(data)
    if (code !== TERMINAL_TYPE) return
    names.push(data.toString('latin1', 1))
    if (last?.equals(data) && !ended) ended = names.length
    last = data
  })
  const write = bytes => new Promise(resolve => input.write(bytes, resolve))
  for (const name of list) await write(type(name))
  console.log(`names in the handler: ${names}; the list seems to end at number ${ended}`)
  const same = names.join() === list.join() && ended === 2

  kept.length = 0
  await write(type('XTERM'))
  await write(option(WINDOW_SIZE, 0, 80, 0, 24))
  const [terminal, size] = kept.map(data => JSON.stringify(data.toString('latin1')))
  console.log(`kept: terminal ${terminal}, size ${size}`)
  const texts = [terminal, size].map(text => JSON.parse(text))
  process.exit(same && texts.join('|') === '\0P\0\x18RM|\0P\0\x18' ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
