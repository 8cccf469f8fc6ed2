#!/usr/bin/env bash
# diameter: minus five euros are 42,949,667.96 euros.
#
# Versions:  the npm package `diameter`, 0.7.0, on any Node.
# Expected:  `Value-Digits`, of which the credit control application makes its amounts (RFC 8506),
#            is an Integer64 with a sign: -500 with the exponent -2 is minus 5.00.
# Seen:      of -500 the lower four bytes are written, and zeros as the upper ones: the other end
#            reads 4,294,966,796. There is no error. The exponent, an Integer32, is right, and so is
#            what it reads of others, and what is positive. So a charge is right, and what is given
#            back is a charge of some millions.
# Here:      a Struct writes an integer in all bytes of its field.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  diameter@0.7.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const diameter = require('diameter')
const types = require('diameter/lib/diameter-types')

const APPLICATION = 'Diameter Credit Control Application'
const MONEY = ['Requested-Service-Unit', 'CC-Money', 'Unit-Value']
const find = (avps, name) => avps.find(avp => avp[0] === name)?.[1]

async function main() {
  const heard = []
  const server = diameter.createServer({}, socket =>
    socket.on('diameterMessage', ({ message, response, callback }) => {
      heard.push(message.body)
      callback(response)
    }),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  const socket = await new Promise(resolve => {
    const options = { host: '127.0.0.1', port }
    const made = diameter.createConnection(options, () => resolve(made))
  })

  /** What the server reads of this amount. */
  async function sent(digits) {
    const connection = socket.diameterConnection
    const request = connection.createRequest(APPLICATION, 'Credit-Control', 'session;1')
    const value = [
      ['Value-Digits', digits],
      ['Exponent', -2],
    ]
    request.body.push(['Requested-Service-Unit', [['CC-Money', [['Unit-Value', value]]]]])
    await connection.sendRequest(request, 20_000)
    const read = MONEY.reduce(find, heard.pop())
    return `${find(read, 'Value-Digits')} ${find(read, 'Exponent')}`
  }

  let same = true
  for (const [digits, expected] of [
    [500, '500 -2'],
    [0, '0 -2'],
    [-1, '4294967295 -2'],
    [-500, '4294966796 -2'],
  ]) {
    const seen = await sent(digits)
    console.log(`${digits} and -2: ${seen}`)
    same &&= seen === expected
  }
  const right = types.decode('Integer64', Buffer.from('fffffffffffffe0c', 'hex'), APPLICATION)
  console.log(`of another peer: ${right}`)
  same &&= `${right}` === '-500'
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
