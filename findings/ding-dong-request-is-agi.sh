#!/usr/bin/env bash
# ding-dong: whatever script a call asks for, the request is "agi".
#
# Versions:  the npm package `ding-dong`, 0.1.7, on any Node.
# Expected:  Asterisk begins a connection of AGI with its variables, one "name: value" to a line. A
#            server gets them as they were: `agi_request` is the address with the script and its
#            parameters, agi://127.0.0.1:4573/menu?lang=de, and a caller of SIP may have a name with
#            a colon.
# Seen:      the value ends at its first colon. So `agi_request` is "agi" in each call, and the
#            server cannot tell the menu from the voice mail, nor see the parameters. A name "Desk:
#            2nd floor" is "Desk". Values without a colon (the channel, the number, the variable
#            `agi_network_script`) are right, so a server of one script finds nothing.
# Here:      nothing of sluice takes a line apart.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  ding-dong@0.1.7 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const AgiServer = require('ding-dong')

const variables = {
  agi_network_script: 'menu?lang=de',
  agi_request: 'agi://127.0.0.1:4573/menu?lang=de',
  agi_channel: 'PJSIP/100-00000001',
  agi_callerid: '100',
  agi_calleridname: 'Desk: 2nd floor',
}
const expected = { ...variables, agi_request: 'agi', agi_calleridname: 'Desk' }

/** A port of 0 is its default one, 3000. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

async function main() {
  let server
  const port = await freePort()
  const heard = new Promise(resolve => {
    const handler = context => context.onEvent('variables').then(resolve)
    server = new AgiServer(handler).start(port, '127.0.0.1')
  })
  await once(server, 'listening')
  const lines = Object.entries(variables).map(([name, value]) => `${name}: ${value}\n`)
  net.connect(port, '127.0.0.1').write(lines.join('') + '\n')
  const seen = await heard
  let same = true
  for (const name in variables) {
    console.log(`${name}: ${JSON.stringify(seen[name])}`)
    same &&= seen[name] === expected[name]
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
