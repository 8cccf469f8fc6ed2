#!/usr/bin/env bash
# tornado: its WebSockets pass over the wish that each message is compressed by itself.
#
# Versions:  python3-tornado 6.2.0-3+deb12u4, python3-websockets 10.4-1 of Debian 12 (bookworm),
#            amd64.
# Expected:  a client that offers `server_no_context_takeover`, to keep no 32 KiB for each
#            connection, gets that word back, and messages of which none refers to the one before
#            (RFC 7692, 7.1.1.1). Or the server declines the extension. So the server of websockets.
# Seen:      tornado reads only parameters that have a value. It answers "permessage-deflate" alone,
#            and from the second message on its data needs the first one: a client that forgets
#            cannot inflate it. One that looks at the answer, such as the client of websockets,
#            ends the handshake: the server that "supports compression" cannot be reached. Clients
#            that offer no such parameter, as browsers, and an echo of one message are well.
# Here:      a sluice client that has set it refuses such an answer, as the one of websockets does.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq python3-tornado=6.2.0-3+deb12u4 python3-websockets=10.4-1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import asyncio, logging, sys, zlib

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler
from websockets.exceptions import NegotiationError
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.legacy.client import connect
from websockets.legacy.server import serve

OFFER = b"permessage-deflate; server_no_context_takeover"
logging.disable()


class Echo(WebSocketHandler):
    def get_compression_options(self):
        return {}

    def on_message(self, message):
        self.write_message(message)


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def inflated(port):
    """The answer to the offer, and two equal messages, each inflated by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: " + OFFER + b"\r\n\r\n"
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    text = b"all the same " * 5
    # A text, not compressed. The mask is 0.
    writer.write((bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text) * 2)
    whole = []
    for _ in range(2):
        first, length = await reader.readexactly(2)
        data = await reader.readexactly(length)
        assert first == 0xC1
        try:
            whole.append(zlib.decompressobj(-15).decompress(data + b"\0\0\xff\xff") == text)
        except zlib.error:
            whole.append(False)
    writer.close()
    return "server_no_context_takeover" in head, whole


async def connects(port):
    extensions = [ClientPerMessageDeflateFactory(server_no_context_takeover=True)]
    try:
        async with connect(f"ws://127.0.0.1:{port}/", extensions=extensions, compression=None):
            return True
    except NegotiationError:
        return False


async def main():
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(Application([("/", Echo)])).add_sockets(sockets)
    other = await serve(echo, "127.0.0.1", 0)
    seen = {}
    for name, listening in (("tornado", sockets), ("websockets", other.sockets)):
        port = listening[0].getsockname()[1]
        seen[name] = (*await inflated(port), await connects(port))
        print(f"{name}: agreed, each inflated by itself, client connects: {seen[name]}")
    return seen


seen = asyncio.run(asyncio.wait_for(main(), 30))
expected = {"tornado": (False, [True, False], False), "websockets": (True, [True, True], True)}
sys.exit(0 if seen == expected else 1)
PROGRAM

PYTHONPATH="$folder/usr/lib/python3/dist-packages" python3 "$folder/program.py"
