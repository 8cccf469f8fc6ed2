#!/usr/bin/env bash
# tarantool-driver: what is packed as a decimal or a UUID is inserted as a table, {value = 1.5}.
#
# Versions:  the npm package `tarantool-driver`, 3.1.0, on any Node; tarantool 2.6.0-1.2+b1,
#            libunwind8 1.6.2-3, libicu72 72.1-3+deb12u1 and libyaml-0-2 0.2.5-1 of Debian 12
#            (bookworm), amd64.
# Expected:  `packDecimal` and `packUuid` are "for converting to Tarantool-compatible format": the
#            server gets a decimal, or a UUID. 10^21 has 22 digits, and a decimal up to 38.
# Seen:      `call`, `select`, `update` and `upsert` send it so. `insert` and `replace` send the
#            object that the two have made, as a map. Where the space has no format, the server
#            stores a table; it compares, sums and sorts like none of the others, and the driver
#            reads back `{ value: 1.5 }`. And a number is written as JavaScript prints it: 10^21 is
#            "1e+21", of which the server gets 1; 0.00000001, one satoshi, is "1e-8", and refused.
# Here:      a codec writes each value in one place, whichever command it is in.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, and libcurl4.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  tarantool-driver@3.1.0 >/dev/null
(
  cd "$folder"
  apt-get download -qq tarantool=2.6.0-1.2+b1 libunwind8=1.6.2-3 libicu72=72.1-3+deb12u1 \
    libyaml-0-2=0.2.5-1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/server.lua" <<'SERVER'
box.cfg{listen = arg[1], log = 'log', memtx_memory = 33554432}
box.schema.user.grant('guest', 'read,write,execute', 'universe')
box.schema.space.create('numbers'):create_index('primary')
-- What a value is to the server.
function kind(value)
  if type(value) == 'table' then return 'table' end
  return type(value) == 'cdata' and tostring(value) or type(value)
end
function stored(id) return kind(box.space.numbers:get(id)[2]) end
io.stdout:write('ready\n')
io.stdout:flush()
SERVER

cat >"$folder/program.cjs" <<'PROGRAM'
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { createInterface } = require('node:readline')
const { createServer } = require('node:net')
const Tarantool = require('tarantool-driver')

async function main() {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const address = `127.0.0.1:${free.address().port}`
  free.close()
  await once(free, 'close')
  const server = spawn('usr/bin/tarantool', ['server.lua', address], {
    cwd: __dirname,
    env: { LD_LIBRARY_PATH: `${__dirname}/usr/lib/x86_64-linux-gnu` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.on('exit', () => server.kill('SIGKILL'))
  await once(createInterface(server.stdout), 'line')

  const client = new Tarantool(address)
  const decimal = client.packDecimal(1.5)
  const results = {}
  ;[[results.call]] = await client.call('kind', decimal)
  await client.upsert('numbers', [], [1, decimal])
  ;[[results.upsert]] = await client.call('stored', 1)
  await client.insert('numbers', [2, decimal])
  ;[[results.insert]] = await client.call('stored', 2)
  await client.replace('numbers', [3, client.packUuid('550e8400-e29b-41d4-a716-446655440000')])
  ;[[results.replace]] = await client.call('stored', 3)
  results.back = (await client.select('numbers', 'primary', 1, 0, 'eq', [2]))[0][1]
  for (const number of [1e20, 1e21, 1e-6, 1e-8]) {
    const packed = client.packDecimal(number)
    results[number] = await client.call('kind', packed).then(
      ([[text]]) => text,
      () => 'refused',
    )
  }
  for (const [name, result] of Object.entries(results)) console.log(`${name}:`, result)
  const expected = {
    call: '1.5',
    upsert: '1.5',
    insert: 'table',
    replace: 'table',
    back: { value: 1.5 },
    1e20: '100000000000000000000',
    1e21: '1',
    1e-6: '0.000001',
    1e-8: 'refused',
  }
  server.kill('SIGKILL')
  await once(server, 'exit')
  process.exit(JSON.stringify(results) === JSON.stringify(expected) ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
