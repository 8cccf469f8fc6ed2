#!/usr/bin/env bash
# fluent-logger: a record whose acknowledgement is late has failed, and then has succeeded.
#
# Versions:  the npm package `fluent-logger`, 3.4.1, with `msgpack-lite`, 0.1.26, on any Node.
# Expected:  with `requireAckResponse` the callback of `emit` tells once whether the server has the
#            record. `end()` "closes"; what was handed over before it is sent, or its callback says
#            that it was not.
# Seen:      after `ackResponseTimeout` the callback is called with an error; the record is not
#            taken back, as the server has it. When its answer comes the callback is called again,
#            without one. Who sends again on an error has the record twice, and a promise made of it
#            knows the error only. A server that is slow for a moment is enough. `end()` right
#            behind the first `emit`, as a short program does, drops the record: it waits for the
#            connection, and that is closed. No error, no callback; with a connection that is open
#            already it arrives.
# Here:      an operation settles once, and `end()` sends what is queued, while it connects too.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  fluent-logger@3.4.1 msgpack-lite@0.1.26 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { createServer } = require('node:net')
const { createFluentSender } = require('fluent-logger')
const msgpack = require('msgpack-lite')

async function main() {
  // It keeps the records, and the answers until they are let go.
  const records = []
  const answers = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', data => {
      const [, , record, options] = msgpack.decode(data)
      records.push(record.n)
      if (options) answers.push(() => socket.write(msgpack.encode({ ack: options.chunk })))
      server.emit('record')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const sender = options =>
    createFluentSender('tag', { host: '127.0.0.1', port: server.address().port, ...options })

  const acknowledged = sender({ requireAckResponse: true, ackResponseTimeout: 100 })
  const told = []
  let again
  const record = once(server, 'record')
  const first = new Promise(resolve =>
    acknowledged.emit({ n: 1 }, error => {
      told.push(error ? error.name : 'success')
      resolve()
      again?.()
    }),
  )
  await record
  await first
  const second = new Promise(resolve => (again = resolve))
  answers[0]()
  await second
  console.log('one record, told:', told.join(', then '), '- the server has', records.join())

  const open = sender()
  const opened = once(server, 'record')
  open.emit({ n: 2 })
  await opened
  const last = once(server, 'record')
  open.emit({ n: 3 })
  open.end()
  await last
  const short = sender()
  let called = false
  const closed = once(server, 'connection').then(([socket]) => once(socket, 'close'))
  short.emit({ n: 4 }, () => (called = true))
  short.end()
  await closed
  console.log('the server has', records.join(), '- callback of the last:', called)
  const same =
    told.join() === 'ResponseTimeoutError,success' && records.join() === '1,2,3' && !called
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
