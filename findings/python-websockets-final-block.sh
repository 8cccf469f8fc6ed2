#!/usr/bin/env bash
# aiohttp, tornado and websockets (Python): behind a compressed message whose deflate block is a
# final one, every message arrives empty.
#
# Versions:  python3-aiohttp 3.8.4-1+deb12u2, python3-tornado 6.2.0-3+deb12u4, python3-websockets
#            10.4-1 of Debian 12 (bookworm), amd64; the npm package `ws`, 8.23.0, on any Node.
# Expected:  permessage-deflate lets a sender end a message with a block that has BFINAL set, and a
#            byte 0 behind it (RFC 7692, 7.2.3.4). That is what a deflater makes that can finish and
#            not flush, as small devices have it. The next message is compressed as usual, and an
#            echo gives both back. So it is with `ws`.
# Seen:      the first one is read well. From then on each compressed message of the connection is
#            an empty text to the three servers, without an error: the inflater that they keep has
#            seen its end, and gives nothing any more. One message per connection shows nothing.
# Here:      src/protocols/websocket/deflate begins a new stream behind such a block.
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
    python3-idna=3.3-1+deb12u1 python3-tornado=6.2.0-3+deb12u4 python3-websockets=10.4-1 \
    python3-typing-extensions=4.4.0-1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/server.py" <<'PROGRAM'
import asyncio, sys


async def aiohttp():
    from aiohttp import web

    async def echo(request):
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        async for message in connection:
            await connection.send_str(message.data)
        return connection

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner.addresses[0][1]


async def tornado():
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    class Echo(WebSocketHandler):
        def get_compression_options(self):
            return {}

        def on_message(self, message):
            self.write_message(message)

    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(Application([("/", Echo)])).add_sockets(sockets)
    return sockets[0].getsockname()[1]


async def websockets():
    from websockets.legacy.server import serve

    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    server = await serve(echo, "127.0.0.1", 0)
    return server.sockets[0].getsockname()[1]


async def main():
    print(await globals()[sys.argv[1]](), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
PROGRAM

cat >"$folder/server.cjs" <<'PROGRAM'
const { WebSocketServer } = require('ws')
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true }, () =>
  console.log(server.address().port),
)
server.on('connection', socket => socket.on('message', data => socket.send(String(data))))
PROGRAM

cat >"$folder/program.py" <<'PROGRAM'
import os, socket, subprocess, sys, zlib

folder = sys.argv[1]
environment = {**os.environ, "PYTHONPATH": folder + "/usr/lib/python3/dist-packages"}


def deflated(text, flush):
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(text.encode()) + deflater.flush(flush)


def final(text):
    return deflated(text, zlib.Z_FINISH) + b"\0"


def usual(text):
    return deflated(text, zlib.Z_SYNC_FLUSH)[:-4]


def frame(data):
    # A text, whole and compressed. The mask is 0.
    return bytes([0xC1, 0x80 | len(data), 0, 0, 0, 0]) + data


def echoed(port, messages):
    connection = socket.create_connection(("127.0.0.1", port), 20)
    connection.sendall(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    reader = connection.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += reader.readline()
    assert b"permessage-deflate" in head
    connection.sendall(b"".join(map(frame, messages)))
    inflater = zlib.decompressobj(wbits=-15)
    answers = []
    for _ in messages:
        first, length = reader.read(2)
        data = reader.read(length)
        if first & 0x40:
            data = inflater.decompress(data + b"\0\0\xff\xff")
        answers.append(data.decode())
    return answers


expected = {
    "aiohttp": ["one", "", ""],
    "tornado": ["one", "", ""],
    "websockets": ["one", "", ""],
    "ws": ["one", "two", "three"],
}
same = True
for name, wanted in expected.items():
    program = ["node", "server.cjs"] if name == "ws" else [sys.executable, "server.py", name]
    server = subprocess.Popen(
        program, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        port = int(server.stdout.readline())
        plain = echoed(port, [usual("one"), usual("two"), usual("three")])
        answers = echoed(port, [final("one"), usual("two"), usual("three")])
    finally:
        server.kill()
        server.wait()
    print(f"{name}: without a final block {plain}, with one {answers}")
    same = same and plain == ["one", "two", "three"] and answers == wanted
sys.exit(0 if same else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
