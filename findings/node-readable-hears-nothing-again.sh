#!/usr/bin/env bash
# node:net: a socket that is read on 'readable' hears nothing once it has connected again; smpp is
# deaf by it.
#
# Versions:  the npm packages `node`, 20.20.2 and 26.10.0, on Linux, and `smpp`, 0.5.1.
# Expected:  `socket.connect()` is "for reconnecting a socket after 'close' has been emitted". With
#            a listener of 'data' all is then as at first. smpp: `session.connect()` "can be used to
#            reconnect a closed connection".
# Seen:      with a listener of 'readable' the second connection opens, and writes, and nothing is
#            read: no 'readable', no 'end', and so no 'close' when the server ends. Somebody has to
#            call `read()` once by himself. (Issue 25969 of Node, confirmed in 2019, was closed in
#            2025 as nobody wrote any more.) smpp reads in that way. Its login of the second
#            connection is answered, and it never sees the answer; nor does it see that the center
#            hangs up, so the program, which waits for 'close' to connect again, waits for ever. The
#            text that the center has handed over is counted as delivered there.
# Here:      each opening of a channel has a new socket.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  smpp@0.5.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { connect, createServer } = require('node:net')
const smpp = require('smpp')

/** A server that answers the first bytes of each connection, and ends. */
async function serve(answer) {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', data => socket.end(answer(data), () => server.emit('answered')))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}
/** Whether it closes within three seconds; it would take a millisecond. */
const closes = emitter =>
  new Promise(resolve => {
    setTimeout(resolve, 3000, false)
    emitter.once('close', () => resolve(true))
  })

async function plain(event) {
  const server = await serve(() => 'answer')
  const { port } = server.address()
  const socket = connect(port, '127.0.0.1')
  const heard = []
  socket.on('connect', () => socket.write('hello'))
  if (event === 'data') socket.on('data', data => heard.push(String(data)))
  else {
    socket.on('readable', () => {
      for (let data; (data = socket.read()) !== null;) heard.push(String(data))
    })
  }
  const first = [await closes(socket), ...heard.splice(0)]
  const answered = once(server, 'answered')
  socket.connect(port, '127.0.0.1')
  await answered
  const second = [await closes(socket), ...heard]
  socket.destroy()
  server.close()
  return [first, second].map(life => life.join(' ')).join(', then ')
}

async function session() {
  const server = await serve(login => {
    const { sequence_number } = new smpp.PDU(login)
    const text = { source_addr: '1', destination_addr: '2', short_message: 'text' }
    const answer = [
      Object.assign(new smpp.PDU('bind_transceiver_resp'), { sequence_number }),
      Object.assign(new smpp.PDU('deliver_sm', text), { sequence_number: 1 }),
    ]
    return Buffer.concat(answer.map(pdu => pdu.toBuffer()))
  })
  const client = smpp.connect({ host: '127.0.0.1', port: server.address().port })
  const heard = []
  client.on('connect', () => client.bind_transceiver({}, () => heard.push('login')))
  client.on('deliver_sm', pdu => heard.push(pdu.short_message.message))
  const first = [await closes(client), ...heard.splice(0)]
  const answered = once(server, 'answered')
  client.connect()
  await answered
  const second = [await closes(client), ...heard]
  client.destroy()
  server.close()
  return [first, second].map(life => life.join(' ')).join(', then ')
}

async function main() {
  const results = [await plain('data'), await plain('readable'), await session()]
  console.log(process.version, 'closed, and heard:')
  for (const [index, name] of ['data', 'readable', 'smpp'].entries()) {
    console.log(`  ${name}: ${results[index]}`)
  }
  const expected = [
    'true answer, then true answer',
    'true answer, then false',
    'true login text, then false',
  ]
  process.exit(results.join() === expected.join() ? 0 : 1)
}
main()
PROGRAM

for version in 20.20.2 26.10.0; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  timeout 60 "$folder/$version/node_modules/node/bin/node" "$folder/program.cjs"
done
