#!/usr/bin/env bash
# aiohttp: a client that closes its WebSocket with a code of its own is told 1000.
#
# Versions:  python3-aiohttp 3.8.4-1+deb12u2, python3-websockets 10.4-1 of Debian 12 (bookworm),
#            amd64; the npm package `ws`, 8.23.0, on any Node.
# Expected:  a server answers a close frame with the code that it has got (RFC 6455, 5.5.1). So the
#            event 'close' of a client that has called `close(4001)` has the code 4001, and the
#            handler that connects again after a loss, but not after a close of the program's own,
#            goes by it. So it is with the server of websockets.
# Seen:      the server of aiohttp answers each close frame with 1000, and that is what the event
#            says, to any client: 4001, 1001 and 1011 alike, and without the reason. (The server
#            itself has the code, as `close_code`.) A program whose own close must not be followed
#            by a new connection connects again, with this server only.
# Here:      `close_code` of a WebSocketClient that has closed first is its own code.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 15 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" ws@8.23.0 >/dev/null

(
  cd "$folder"
  apt-get download -qq python3-aiohttp=3.8.4-1+deb12u2 python3-multidict=6.0.4-1+b1 \
    python3-yarl=1.8.2-1+b1 python3-frozenlist=1.3.3-1+b1 python3-aiosignal=1.3.1-1 \
    python3-attr=22.2.0-1 python3-async-timeout=4.0.2-1 python3-charset-normalizer=3.0.1-2 \
    python3-idna=3.3-1+deb12u1 python3-typing-extensions=4.4.0-1 python3-websockets=10.4-1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/server.py" <<'PROGRAM'
import asyncio
from aiohttp import web
from websockets.legacy.server import serve


async def by_aiohttp(request):
    connection = web.WebSocketResponse()
    await connection.prepare(request)
    async for _ in connection:
        pass
    print("closed", connection.close_code, flush=True)
    return connection


async def by_websockets(connection):
    await connection.wait_closed()
    print("closed", connection.close_code, flush=True)


async def main():
    app = web.Application()
    app.router.add_get("/", by_aiohttp)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = await serve(by_websockets, "127.0.0.1", 0)
    print(runner.addresses[0][1], server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
PROGRAM

cat >"$folder/program.mjs" <<'PROGRAM'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'

const server = spawn('python3', ['server.py'], { stdio: ['ignore', 'pipe', 'ignore'] })
const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
const next = async () => (await lines.next()).value.split(' ')
const [aiohttp, websockets] = await next()

async function run(port, code, reason) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  await once(socket, 'open')
  socket.close(code, reason)
  const [told, why] = await once(socket, 'close')
  const [, heard] = await next()
  const both = `the server heard ${heard}, the client is told ${told} ${why}`
  return `closed with ${code} ${reason}, ${both}`
}

const results = []
for (const port of [aiohttp, websockets])
  for (const code of [1000, 1001, 4001]) results.push(await run(port, code, 'mine'))
server.kill()
console.log(results.join('\n'))
const line = (code, told) =>
  `closed with ${code} mine, the server heard ${code}, the client is told ${told}`
const expected = [1000, 1001, 4001].map(code => line(code, '1000 '))
for (const code of [1000, 1001, 4001]) expected.push(line(code, `${code} mine`))
process.exit(results.join() === expected.join() ? 0 : 1)
PROGRAM

cd "$folder"
PYTHONPATH="$folder/usr/lib/python3/dist-packages" timeout 60 node program.mjs
