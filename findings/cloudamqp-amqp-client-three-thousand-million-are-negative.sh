#!/usr/bin/env bash
# @cloudamqp/amqp-client: a header of 3,000,000,000 is -1,294,967,296, and 19.99 is 19.98999.
#
# Versions:  the npm packages `@cloudamqp/amqp-client`, 4.1.1, and `amqplib`, 2.3.1, on any Node.
# Expected:  a number in a table of AMQP has a type: "I" is 32 bits with a sign, "l" is 64, "f" a
#            float of 32 bits, "d" of 64. Numbers of JavaScript fit into "l" and "d"; amqplib takes
#            the smallest type that keeps the number.
# Seen:      this one takes "I" for whatever is nearer to 0 than 2^32: from 2^31 on the sign turns.
#            A size of 3 GB, or a time in seconds after January 2038, is negative to every consumer;
#            `x-max-length-bytes: 3e9` of a queue is refused by the broker. 2^31 - 1 and 2^32 are
#            right, so the usual tests hold. A fraction is sent as "f" up to 2^32: seven digits are
#            kept, and 0.1 comes as 0.10000000149011612; a rate or a price is another number.
# Here:      a number is written with the type that keeps it, or refused.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  @cloudamqp/amqp-client@4.1.1 amqplib@2.3.1 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { AMQPClient } from '@cloudamqp/amqp-client'
import amqplib from 'amqplib'

// Classes and methods of AMQP 0-9-1, as class and method number.
const START = [10, 10]
const TUNE = [10, 30]
const OPEN_OK = [10, 41]
const CLOSE_OK = [10, 51]
const CHANNEL_OPEN_OK = [20, 11]
const ANSWERS = {
  '10,11': [TUNE, [0, 0, 0, 2, 0, 0, 0, 0]],
  '10,40': [OPEN_OK, [0]],
  '10,50': [CLOSE_OK, []],
  '20,10': [CHANNEL_OPEN_OK, [0, 0, 0, 0]],
}
const METHOD = 1
const HEADER = 2
const longString = text => [0, 0, 0, text.length, ...Buffer.from(text)]

function frame(channel, [classId, methodId], body) {
  const payload = Buffer.from([0, classId, 0, methodId, ...body])
  const head = Buffer.alloc(7)
  head[0] = METHOD
  head.writeUInt16BE(channel, 1)
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, payload, Buffer.from([0xce])])
}
// How a number is read, by its type, and how many bytes it has.
const NUMBERS = {
  b: [1, bytes => bytes.readInt8()],
  s: [2, bytes => bytes.readInt16BE()],
  I: [4, bytes => bytes.readInt32BE()],
  l: [8, bytes => Number(bytes.readBigInt64BE())],
  f: [4, bytes => bytes.readFloatBE()],
  d: [8, bytes => bytes.readDoubleBE()],
}
/** The number named "n" in the properties of a message: its type, and its value. */
function numberOf(properties) {
  const at = properties.indexOf('\x01n') + 2
  const type = String.fromCharCode(properties[at])
  const [size, read] = NUMBERS[type]
  return `${type} ${read(properties.subarray(at + 1, at + 1 + size))}`
}

/** A broker that lets everybody in, and tells what number the last message had. */
const published = []
const server = createServer(socket => {
  let bytes = Buffer.alloc(0)
  let greeted = false
  socket.on('error', () => {})
  socket.on('data', data => {
    bytes = Buffer.concat([bytes, data])
    if (!greeted && bytes.length >= 8) {
      greeted = true
      bytes = bytes.subarray(8)
      const start = [0, 9, 0, 0, 0, 0, ...longString('PLAIN'), ...longString('en_US')]
      socket.write(frame(0, START, start))
    }
    while (bytes.length >= 7 && bytes.length >= bytes.readUInt32BE(3) + 8) {
      const size = bytes.readUInt32BE(3)
      const payload = bytes.subarray(7, 7 + size)
      if (bytes[0] === METHOD) {
        const answer = ANSWERS[[payload.readUInt16BE(0), payload.readUInt16BE(2)]]
        if (answer) socket.write(frame(bytes.readUInt16BE(1), ...answer))
      } else if (bytes[0] === HEADER) {
        published.push(numberOf(payload))
        server.emit('published')
      }
      bytes = bytes.subarray(size + 8)
    }
  })
})
await once(server.listen(0, '127.0.0.1'), 'listening')
const url = `amqp://guest:guest@127.0.0.1:${server.address().port}`

const NUMBERS_SENT = [2 ** 31 - 1, 3e9, 2 ** 32, -3e9, 0.5, 0.1, 19.99]
async function sent(publish) {
  published.length = 0
  for (const number of NUMBERS_SENT) {
    const arrival = once(server, 'published')
    publish({ n: number })
    await arrival
  }
  return [...published]
}
const right = await amqplib.connect(url)
const rightChannel = await right.createChannel()
const rights = await sent(headers => rightChannel.publish('', 'q', Buffer.from('x'), { headers }))
const client = await new AMQPClient(url).connect()
const channel = await client.channel()
const seen = await sent(headers => channel.basicPublish('', 'q', 'x', { headers }))

let same = true
for (const [index, number] of NUMBERS_SENT.entries()) {
  console.log(`${number}: amqplib ${rights[index]}, @cloudamqp/amqp-client ${seen[index]}`)
  same &&= Number(rights[index].slice(2)) === number
}
const expected = [
  'I 2147483647',
  'I -1294967296',
  'l 4294967296',
  'I 1294967296',
  'f 0.5',
  'f 0.10000000149011612',
  'f 19.989999771118164',
]
process.exit(same && seen.join() === expected.join() ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
