#!/usr/bin/env bash
# jsmodbus: its server carries out pipelined requests backwards: of two writes the first one stays.
#
# Versions:  the npm packages `jsmodbus`, 5.0.0, and `modbus-serial`, 8.0.25, on any Node.
# Expected:  a client may send a request before the answer to the one before has come (Modbus/TCP
#            has a transaction id for that), and TCP keeps the order. So writes of 1, 2 and 3 to a
#            register leave 3 in it, and a read behind them reads 3. So it is with the server of
#            modbus-serial.
# Seen:      requests that are there together are carried out from the last to the first: the read
#            sees the old value, and 1 is what stays. The answers come in that order, too. If each
#            comes by itself the same requests are right. (The guide to Modbus/TCP wants one request
#            in a segment. But TCP joins what was written apart, as here.)
# Here:      a server on sluice gets its messages in order, however many a segment holds.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" --ignore-scripts \
  jsmodbus@5.0.0 modbus-serial@8.0.25 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const { connect, createServer } = require('node:net')
const { server: jsmodbus } = require('jsmodbus')
const { ServerTCP } = require('modbus-serial')

/** A request to unit 1. The function is 6 (write a register) or 3 (read some). */
function request(id, code, address, value) {
  const bytes = Buffer.from([0, id, 0, 0, 0, 6, 1, code, 0, 0, 0, 0])
  bytes.writeUInt16BE(address, 8)
  bytes.writeUInt16BE(value, 10)
  return bytes
}

const writes = [1, 2, 3].map(value => request(value, 6, 0, value))
const requests = [...writes, request(4, 3, 0, 1)]

async function started(name) {
  if (name === 'jsmodbus') {
    const server = createServer()
    new jsmodbus.TCP(server, { holding: Buffer.alloc(2) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server.address().port
  }
  let register = 0
  const vector = {
    getHoldingRegister: () => register,
    setRegister: (address, value) => void (register = value),
  }
  // It cannot be asked for the port that it was given, so a free one is found first.
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  const server = new ServerTCP(vector, { host: '127.0.0.1', port, unitID: 1 })
  await once(server, 'initialized')
  return port
}

/** Sends each group, and waits for its answers: their ids in order, and the value that was read. */
async function ask(port, ...groups) {
  const socket = connect(port, '127.0.0.1')
  let bytes = Buffer.alloc(0)
  const seen = []
  let value
  let wanted = 0
  for (const group of groups) {
    wanted += group.length
    for (const request of group) socket.write(request)
    while (seen.length < wanted) {
      const [data] = await once(socket, 'data')
      bytes = Buffer.concat([bytes, data])
      while (bytes.length >= 6 && bytes.length >= 6 + bytes[5]) {
        seen.push(bytes[1])
        if (bytes[7] === 3) value = bytes.readUInt16BE(9)
        bytes = bytes.subarray(6 + bytes[5])
      }
    }
  }
  socket.destroy()
  return { answers: seen.join(), read: value }
}

async function main() {
  const results = []
  for (const name of ['jsmodbus', 'modbus-serial']) {
    const port = await started(name)
    const apart = await ask(port, ...requests.map(request => [request]))
    await ask(port, [request(9, 6, 0, 0)])
    const together = await ask(port, requests)
    const { read: left } = await ask(port, [request(5, 3, 0, 1)])
    console.log(`${name}, one by one:`, apart, 'together:', together, 'left in the register:', left)
    results.push(apart.answers, apart.read, together.answers, together.read, left)
  }
  const jsmodbus = ['1,2,3,4', 3, '4,3,2,1', 0, 1]
  const other = ['1,2,3,4', 3, '1,2,3,4', 3, 3]
  process.exit(JSON.stringify(results) === JSON.stringify([...jsmodbus, ...other]) ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 30 node program.cjs
