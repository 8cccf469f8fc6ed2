#!/usr/bin/env bash
# memjs: the counter behind 4,294,967,295 is 256.
#
# Versions:  the npm package `memjs`, 1.3.2, on any Node; memcached 1.6.18-1+deb12u1, libevent-2.1-7
#            2.1.12-stable-8+deb12u1 and libsasl2-2 2.1.28+dfsg-10 of Debian 12 (bookworm), amd64.
# Expected:  `increment` and `decrement` give the new value of the counter. memcached counts with 64
#            bits, and answers with them: bytes that were sent, requests of a year, microseconds.
# Seen:      the upper half of the answer is moved by 8 bits, not by 32. As long as a counter fits
#            into the lower half it is right. The step over 2^32 gives 256, 5,000,000,001 is
#            705,032,961, and from a terabyte on the value is near the lower half with a little
#            added. `get` of the same counter says the right number, as a text: two ways to ask, two
#            answers. A limit of bytes that compares what `increment` gave lets everybody begin
#            anew each 4 GB.
# Here:      a Struct says `>Q`, and gives a bigint.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  memjs@1.3.2 >/dev/null
(
  cd "$folder"
  apt-get download -qq memcached=1.6.18-1+deb12u1 libevent-2.1-7=2.1.12-stable-8+deb12u1 \
    libsasl2-2=2.1.28+dfsg-10
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.cjs" <<'PROGRAM'
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { connect, createServer } = require('node:net')
const { Client } = require('memjs')

async function main() {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  await once(free, 'close')
  const server = spawn('usr/bin/memcached', ['-u', 'root', '-l', '127.0.0.1', '-p', `${port}`], {
    cwd: __dirname,
    env: { LD_LIBRARY_PATH: `${__dirname}/usr/lib/x86_64-linux-gnu` },
    stdio: 'inherit',
  })
  process.on('exit', () => server.kill('SIGKILL'))
  for (let open = false; !open;) {
    const socket = connect(port, '127.0.0.1')
    open = await once(socket, 'connect').then(
      () => true,
      () => new Promise(resolve => setTimeout(resolve, 20, false)),
    )
    socket.destroy()
  }

  const client = Client.create(`127.0.0.1:${port}`)
  let same = true
  for (const [before, seen] of [
    ['4294967294', 4_294_967_295],
    ['4294967295', 256],
    ['5000000000', 705_032_961],
    ['1099511627775', 65_536],
  ]) {
    await client.set('counter', before, {})
    const { value } = await client.increment('counter', 1, {})
    const { value: stored } = await client.get('counter')
    console.log(`${before} and 1: increment says ${value}, get says ${stored}`)
    same &&= value === seen && BigInt(stored) === BigInt(before) + 1n
  }
  await client.set('counter', '4294967298', {})
  const { value } = await client.decrement('counter', 1, {})
  console.log(`4294967298 less 1: decrement says ${value}`)
  process.exit(same && value === 257 ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
