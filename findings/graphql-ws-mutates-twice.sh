#!/usr/bin/env bash
# graphql-ws: a mutation whose connection is lost is sent again, and done again.
#
# Versions:  the npm packages `graphql-ws`, 6.4.2, `graphql`, 16.15.0, and `ws`, 8.23.0, on any
#            Node.
# Expected:  a client that connects again by itself subscribes again to what it was subscribed to. A
#            mutation that was under way may have been done; so it ends with an error, and the
#            program decides.
# Seen:      the client treats each operation as a subscription: by default it sends a mutation up
#            to five times more, and gives the last answer, without an error. A server that dies
#            while it works is asked to pay twice, and the program sees one success. With
#            `shouldRetry: () => false` it ends with an error, but then subscriptions do as well: a
#            program that wants both needs two clients.
# Here:      `send` of `Requests` rejects with ERR_CLOSED, and repeats nothing.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  graphql-ws@6.4.2 graphql@16.15.0 ws@8.23.0 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { once } from 'node:events'
import { buildSchema } from 'graphql'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocket, WebSocketServer } from 'ws'

let paid = 0
const roots = {
  mutation: {
    pay(args, context) {
      // It pays, and is killed before it can answer.
      if (++paid === 1) context.extra.socket.terminate()
      return paid
    },
  },
}
const schema = buildSchema('type Query { paid: Int } type Mutation { pay: Int }')
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
await once(server, 'listening')
useServer({ schema, roots, context: context => context }, server)

async function run(options) {
  paid = 0
  const url = `ws://127.0.0.1:${server.address().port}`
  const client = createClient({ url, webSocketImpl: WebSocket, ...options })
  const seen = []
  await new Promise(resolve =>
    client.subscribe(
      { query: 'mutation { pay }' },
      {
        next: result => seen.push(JSON.stringify(result)),
        error: () => resolve(seen.push('error')),
        complete: resolve,
      },
    ),
  )
  return `${seen}; times paid: ${paid}`
}

const plain = await run({})
const single = await run({ shouldRetry: () => false })
console.log(`the program got ${plain}; with shouldRetry: ${single}`)
const same = plain === '{"data":{"pay":2}}; times paid: 2' && single === 'error; times paid: 1'
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
