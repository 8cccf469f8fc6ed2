#!/usr/bin/env bash
# node-bacnet: a text of 253 characters makes the answer that has it invalid.
#
# Versions:  the npm packages `node-bacnet`, 0.2.4, and `@bacnet-js/client`, 3.3.2, on any Node.
# Expected:  a character string may be as long as an answer can be. From 253 characters on its
#            length, with the byte for the encoding, stands in two bytes behind 254: node-bacnet
#            writes it so, and @bacnet-js/client, which comes from the same program, reads it.
# Seen:      node-bacnet reads up to 252. A longer one is INVALID_DECODING, with ReadProperty, and
#            with ReadPropertyMultiple for all that was asked for: a controller whose description
#            somebody has filled in well loses its name, its values and its state at once.
# Here:      a length of sluice's formats is read as the format has it, and bounded by an option.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  node-bacnet@0.2.4 @bacnet-js/client@3.3.2 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const { default: Other } = require('@bacnet-js/client')
const Bacnet = require('node-bacnet')

const NAME = { id: 77 }
const DESCRIPTION = { id: 28 }
const OBJECT = { type: 0, instance: 1 }
const CHARACTER_STRING = 7

/** They cannot be asked for a port that they were given, so a free one is found first. */
async function opened(Client) {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise(resolve => socket.close(resolve))
  const options = { port, interface: '127.0.0.1', broadcastAddress: '127.0.0.1' }
  const client = new Client({ ...options, apduTimeout: 10_000 })
  await once(client, 'listening')
  return { client, address: `127.0.0.1:${port}` }
}

async function main() {
  const { client: device, address } = await opened(Bacnet)
  let length
  device.on('readPropertyMultiple', ({ payload, invokeId, header }) => {
    const texts = { [NAME.id]: 'name', [DESCRIPTION.id]: 'x'.repeat(length) }
    const values = payload.properties.map(({ objectId, properties }) => ({
      objectId,
      values: properties.map(({ id, index }) => ({
        property: { id, index },
        value: [{ type: CHARACTER_STRING, value: texts[id] }],
      })),
    }))
    device.readPropertyMultipleResponse({ address: header.sender.address }, invokeId, values)
  })

  const { client: first } = await opened(Bacnet)
  const { client: second } = await opened(Other)
  const wanted = [{ objectId: OBJECT, properties: [NAME, DESCRIPTION] }]
  const summary = ({ values }) =>
    values[0].values.map(({ value }) => value[0].value.length).join(' and ')
  const ask = {
    'node-bacnet': () =>
      new Promise(resolve =>
        first.readPropertyMultiple({ address }, wanted, (error, answer) =>
          resolve(error ? error.message : summary(answer)),
        ),
      ),
    '@bacnet-js/client': () =>
      second.readPropertyMultiple({ address }, wanted).then(summary, error => error.message),
  }
  const results = []
  for (length of [10, 252, 253, 400])
    for (const name in ask) {
      results.push(await ask[name]())
      console.log(`${name}, description of ${length}: ${results.at(-1)}`)
    }
  const bad = 'INVALID_DECODING'
  const both = ['4 and 10', '4 and 10', '4 and 252', '4 and 252']
  const expected = [...both, bad, '4 and 253', bad, '4 and 400']
  process.exit(results.join() === expected.join() ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
