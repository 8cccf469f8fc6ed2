#!/usr/bin/env bash
# graygelf: its server looks at six of the eight bytes of a message's id, and mixes messages.
#
# Versions:  the npm package `graygelf`, 2.0.0, on any Node.
# Expected:  GELF over UDP cuts a long message into chunks, each with the same id of eight bytes.
#            Chunks with different ids are different messages. The documentation of GELF proposes
#            ids from the time in milliseconds and the name of the host.
# Seen:      the server puts chunks together by the first six bytes. The client of the same package
#            makes ids of six random bytes, so with it all is well. A time in milliseconds as eight
#            bytes has the same first six for 65 seconds: long messages of two senders (or of one
#            that writes two at a time) that come in turn become one message, of chunks of both, and
#            the rest of the other one is kept for one that never comes. So a line of the log is
#            lost, and one says what nobody has sent.
# Here:      a `Datagram` gives each packet; what is put together by an id compares all of it.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  graygelf@2.0.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const createServer = require('graygelf/server')

/** Two chunks: the user, and what he did. */
function chunksOf(id, user, action) {
  const halves = [`{"version":"1.1","host":"a","_user":"${user}",`, `"short_message":"${action}"}`]
  return halves.map((text, index) =>
    Buffer.concat([Buffer.from([0x1e, 0x0f]), id, Buffer.from([index, 2]), Buffer.from(text)]),
  )
}

/** A time in milliseconds, as eight bytes. */
function timeId(time) {
  const id = Buffer.alloc(8)
  id.writeBigUInt64BE(BigInt(time))
  return id
}

async function main() {
  // It cannot be asked for the port that it was given, so a free one is found first.
  const sender = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(sender, 'listening')
  const { port } = sender.address()
  await new Promise(resolve => sender.close(resolve))
  const server = createServer().listen(port, '127.0.0.1')
  const client = dgram.createSocket('udp4')
  let seen = []
  server.on('message', ({ _user, short_message }) => seen.push(`${_user} ${short_message}`))

  /** Sends the chunks in turn, then a message of one packet, and tells what came before it. */
  async function received(ids) {
    seen = []
    const [one, two] = ids.map(timeId)
    const [anna, bert] = [chunksOf(one, 'anna', 'logs in'), chunksOf(two, 'bert', 'pays')]
    for (const packet of [anna[0], bert[0], anna[1], bert[1]])
      await new Promise(resolve => client.send(packet, port, '127.0.0.1', resolve))
    const last = `{"version":"1.1","host":"a","_user":"end","short_message":"${ids[0]}"}`
    while (!seen.includes(`end ${ids[0]}`)) {
      client.send(last, port, '127.0.0.1')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    return seen.filter(message => !message.startsWith('end ')).join(', ')
  }

  const far = await received([1764306000000, 1764306070000])
  console.log('ids of times 70 s apart:', far)
  const near = await received([1764309000000, 1764309000001])
  console.log('ids of times 1 ms apart:', near)
  process.exit(far === 'anna logs in, bert pays' && near === 'bert logs in' ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
