#!/usr/bin/env bash
# node-nut: of two servers that are asked at the same time, the first one fails every other time.
#
# Versions:  the npm package `node-nut`, 1.0.3, on any Node.
# Expected:  two objects `Nut`, each with its own connection to a server of uninterruptible power
#            supplies (NUT), have nothing to do with each other.
# Seen:      a program that asks both, waits for both answers, and does so again a minute later, has
#            of the first one "Other communication still running" in every second minute. (The
#            object whose answer has come is kept in one variable of the whole program, so it is the
#            one that was asked last, and the other one goes on as if it waited.) The second one is
#            right each time. With one server, or one after the other, all is well, so a first test
#            finds nothing.
# Here:      a client of NUT on sluice keeps what it waits for with its socket.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  node-nut@1.0.3 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const Nut = require('node-nut')

/** A server of one supply, `ups`, and what asks it for its charge. */
async function rack(charge) {
  const answer = `BEGIN LIST VAR ups\nVAR ups battery.charge "${charge}"\nEND LIST VAR ups\n`
  const server = net.createServer(socket => socket.on('data', () => socket.write(answer)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = new Nut(server.address().port, '127.0.0.1')
  client.start()
  await once(client, 'ready')
  return () =>
    new Promise(resolve =>
      client.GetUPSVars('ups', (values, error) => resolve(values?.['battery.charge'] ?? error)),
    )
}

async function main() {
  const [first, second] = [await rack('100'), await rack('90')]
  const alone = [await first(), await second(), await first(), await second()]
  console.log('one after the other:', ...alone)
  const together = []
  for (let time = 0; time < 4; time++) together.push(await Promise.all([first(), second()]))
  for (const results of together) console.log('both:', ...results)
  const busy = ['Other communication still running', '90']
  const expected = [['100', '90'], busy, ['100', '90'], busy]
  const same = alone.join() === '100,90,100,90' && together.join() === expected.join()
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
