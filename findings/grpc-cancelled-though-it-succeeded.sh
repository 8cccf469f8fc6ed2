#!/usr/bin/env bash
# @grpc/grpc-js: a server's call is "cancelled" each time it has succeeded.
#
# Versions:  the npm package `@grpc/grpc-js`, 1.14.7 and 1.9.15, on any Node.
# Expected:  the event 'cancelled' of a call, and its property `cancelled`, tell a handler that the
#            client has given up, or that the deadline is over: so it stops its work, and takes back
#            what it has begun. So it is with 1.9.
# Seen:      since 1.10 both come for every call that has been answered as well, behind the answer.
#            The client has its result and the status 0, and the server undoes its transaction,
#            counts a lost client, or writes a warning for each request. (The maintainers mean it as
#            "nothing more is to be done".) Whoever reacts to it has to remember whether it has
#            answered.
# Here:      `close` of a channel comes once, whatever the reason; a bridge from gRPC that closes a
#            channel on 'cancelled' closes it behind each call.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  @grpc/grpc-js@1.14.7 old@npm:@grpc/grpc-js@1.9.15 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')

async function run(grpc) {
  const bytes = value => value
  const method = (name, streams) => ({
    path: `/test.Test/${name}`,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  })
  const methods = { single: method('single', false), stream: method('stream', true) }

  const cancelled = []
  const note = (name, call) =>
    call.on('cancelled', () => cancelled.push(`${name} ${call.cancelled}`))
  const server = new grpc.Server()
  server.addService(methods, {
    single(call, callback) {
      note('single', call)
      callback(null, call.request)
    },
    stream(call) {
      note('stream', call)
      call.on('data', data => call.write(data))
      call.on('end', () => call.end())
    },
  })
  const credentials = grpc.ServerCredentials.createInsecure()
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  )
  // Only the old one asks for it.
  if (grpc === old) server.start()
  const Client = grpc.makeGenericClientConstructor(methods, 'Test')
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure())

  const answers = []
  await new Promise(resolve =>
    client.single(Buffer.from('one'), (error, value) => resolve(answers.push(error ?? `${value}`))),
  )
  const stream = client.stream()
  stream.on('data', data => answers.push(String(data)))
  stream.end(Buffer.from('two'))
  const [status] = await once(stream, 'status')
  answers.push(status.code)
  client.close()
  // All of the calls are over on the server as well.
  await new Promise(resolve => server.tryShutdown(resolve))
  return JSON.stringify({ answers, cancelled })
}

const old = require('old')
async function main() {
  const now = await run(require('@grpc/grpc-js'))
  const before = await run(old)
  console.log('1.14.7:', now, '1.9.15:', before)
  const answers = '"answers":["one","two",0]'
  const expected = [
    `{${answers},"cancelled":["single true","stream true"]}`,
    `{${answers},"cancelled":[]}`,
  ]
  process.exit(now === expected[0] && before === expected[1] ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
