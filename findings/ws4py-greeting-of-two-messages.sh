#!/usr/bin/env bash
# ws4py: of the messages that a server sends right behind the handshake only the first arrives.
#
# Versions:  python3-ws4py 0.5.1+dfsg1-2 and python3-websocket 1.2.3-1 of Debian 12 (bookworm),
#            amd64.
# Expected:  a server may send as soon as it has accepted: "hello", the state, the list of users.
#            However TCP joins them with the answer to the handshake, the client gets each. So does
#            the client of python3-websocket.
# Seen:      what the client of ws4py has read together with the answer is given to its parser once,
#            and one message is taken from it. The others are dropped, without an error; the
#            connection goes on, and all that comes later is right. If they come apart all is
#            well, as with most servers and a slow network.
# Here:      a sluice server may greet in `on_connect`. With such a client it sends one message, or
#            waits for the client's first.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq python3-ws4py=0.5.1+dfsg1-2 python3-websocket=1.2.3-1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import base64, hashlib, socket, struct, sys, threading
import websocket
from ws4py.client.threadedclient import WebSocketClient

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def text(message):
    return b"\x81" + bytes([len(message)]) + message


class Server(threading.Thread):
    """Greets with two messages, waits for one of the client, says "later" and closes."""

    def __init__(self, together):
        super().__init__(daemon=True)
        self.together = together
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.url = "ws://127.0.0.1:%d/" % self.listener.getsockname()[1]

    def run(self):
        connection, _ = self.listener.accept()
        connection.settimeout(20)
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(4096)
        lines = [line.partition(b": ") for line in request.split(b"\r\n")]
        key = next(value for name, _, value in lines if name.lower() == b"sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        answer = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        greeting = text(b"hello") + text(b"state")
        connection.sendall(answer + greeting if self.together else answer)
        connection.recv(4096)
        later = text(b"later") + b"\x88\x02" + struct.pack(">H", 1000)
        connection.sendall(later if self.together else greeting + later)
        while connection.recv(4096):
            pass
        connection.close()


def of_ws4py(url):
    seen = []

    class Client(WebSocketClient):
        def received_message(self, message):
            seen.append(message.data.decode())

    client = Client(url)
    client.daemon = True
    client.connect()
    client.send("ready")
    client._th.join(20)
    return seen


def of_websocket(url):
    client = websocket.create_connection(url, timeout=20)
    client.send("ready")
    seen = list(iter(client.recv, ""))
    client.close(timeout=0)
    return seen


all_of_them = ["hello", "state", "later"]
same = True
for name, read in (("websocket", of_websocket), ("ws4py", of_ws4py)):
    for together in (False, True):
        server = Server(together)
        server.start()
        seen = read(server.url)
        print(f"{name}, {'with' if together else 'behind'} the answer to the handshake: {seen}")
        lost = name == "ws4py" and together
        same = same and seen == (["hello", "later"] if lost else all_of_them)
sys.exit(0 if same else 1)
PROGRAM

cd "$folder"
PYTHONPATH="$folder/usr/lib/python3/dist-packages" timeout --signal=INT 60 python3 program.py
