#!/usr/bin/env bash
# rhea: the answer to a request whose id has 24 bytes is for one of 16, and to one of 8 bytes too.
#
# Versions:  the npm package `rhea`, 3.0.5, on any Node.
# Expected:  the id of a message in AMQP 1.0 is a number, a UUID, bytes or a text (3.2.11 to
#            3.2.14). Who answers copies the id, or the correlation id, of the request into the
#            correlation id of the answer, as it came. IBM MQ has 24 bytes there, and what JMS calls
#            "ID:AMQP_BINARY:" any number.
# Seen:      bytes are read as a Buffer, and a Buffer is written as a UUID, which has 16 bytes: of
#            24 the last eight are cut off, to 8 zeros are added. The answer is sent, and accepted,
#            and belongs to no request: the one who asked waits for ever. Two ids that differ in
#            their end only, as counted ones do, have the same answer. It is the same with the id
#            that a program gives its own message as a Buffer. Texts and numbers are right; so are
#            UUIDs, of which this was made.
# Here:      the type of a value comes with it, and goes with it.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  rhea@3.0.5 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { create_container, types } = require('rhea')

async function main() {
  // It answers each request on the address that the request names.
  const server = create_container()
  const answer = {}
  server.on('sender_open', ({ sender }) => sender.set_source({ address: 'answers' }))
  server.on('sendable', ({ sender }) => (answer.sender = sender))
  server.on('message', ({ message }) => {
    answer.sender.send({ correlation_id: message.message_id, body: 'answer' })
  })
  const listener = server.listen({ host: '127.0.0.1', port: 0 })
  await once(listener, 'listening')

  const client = create_container()
  const connection = client.connect({ host: '127.0.0.1', port: listener.address().port })
  connection.open_receiver('answers')
  const sender = connection.open_sender('requests')
  await once(sender, 'sendable')
  while (!answer.sender?.sendable()) await new Promise(setImmediate)

  const show = id => (Buffer.isBuffer(id) ? `${id.length} bytes, ${id.toString('hex')}` : `${id}`)
  const counted = (size, last) => {
    const id = Buffer.alloc(size, 0x41)
    id[size - 1] = last
    return id
  }
  const results = []
  for (const [id, wrapped] of [
    ['text', types.wrap_string('text')],
    [7, types.wrap_ulong(7)],
    ...[16, 8, 24].map(size => [counted(size, 1), types.wrap_binary(counted(size, 1))]),
    [counted(24, 2), types.wrap_binary(counted(24, 2))],
  ]) {
    const arrival = once(client, 'message')
    sender.send({ message_id: wrapped, body: 'request' })
    const [{ message }] = await arrival
    const back = message.correlation_id
    const found = Buffer.isBuffer(id) ? id.equals(back) : id === back
    results.push([show(back), found])
    console.log(`asked as ${show(id)}:`)
    console.log(`  answered to ${show(back)}, found: ${found}`)
  }
  connection.close()
  listener.close()
  const hex = (size, zeros) => `16 bytes, ${'41'.repeat(size)}${zeros}`
  const expected = [
    ['text', true],
    ['7', true],
    [hex(15, '01'), true],
    [hex(7, `01${'00'.repeat(8)}`), false],
    [hex(16, ''), false],
    [hex(16, ''), false],
  ]
  process.exit(JSON.stringify(results) === JSON.stringify(expected) ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
