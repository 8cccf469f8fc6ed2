#!/usr/bin/env bash
# nats-server: a client that has sent no PING is not told that the server leaves (lame duck).
#
# Versions:  nats-server 2.9.10-1+b3 of Debian 12 (bookworm), amd64.
# Expected:  a client whose CONNECT has "protocol":1 may get INFO at any time, says the documentation.
#            In lame duck mode all such clients get one with "ldm":true, and go to another server.
# Seen:      only those get it that have sent a PING since they connected. One that publishes and
#            subscribes, and answers the server's own PING, gets nothing until it is closed.
# Here:      src/protocols/nats/wire.ts sends a PING behind every CONNECT, as NATS's clients do.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 20 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(cd "$folder" && apt-get download -qq nats-server=2.9.10-1+b3 && dpkg -x nats-server_*.deb .)

cat >"$folder/program.py" <<'PROGRAM'
import re, signal, socket, subprocess, sys, time

folder = sys.argv[1]
with open(folder + "/nats.conf", "w") as config:
    config.write('lame_duck_duration: "30s"\nping_interval: "1s"\n')
command = [folder + "/usr/sbin/nats-server", "-a", "127.0.0.1", "-p", "-1"]
command += ["-c", folder + "/nats.conf"]
server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
for line in server.stderr:
    port = re.search(r"client connections on \S+:(\d+)", line)
    if port:
        break


class Client:
    def __init__(self, says):
        self.socket = socket.create_connection(("127.0.0.1", int(port[1])))
        self.socket.setblocking(False)
        self.heard = b""
        self.socket.sendall(b'CONNECT {"verbose":false,"protocol":1}\r\nSUB a 1\r\n' + says)

    def read(self):
        try:
            chunk = self.socket.recv(65536)
        except BlockingIOError:
            return
        self.heard += chunk
        for _ in range(chunk.count(b"PING\r\n")):
            self.socket.sendall(b"PONG\r\n")


silent = Client(b"PUB a 2\r\nhi\r\n")
pinging = Client(b"PING\r\n")
both = (silent, pinging)


def read_until(so, seconds):
    end = time.monotonic() + seconds
    while not so() and time.monotonic() < end:
        for client in both:
            client.read()
        time.sleep(0.01)


try:
    # Both are long connected, and have answered a PING of the server.
    read_until(lambda: all(b"PING" in client.heard for client in both), 10)
    server.send_signal(signal.SIGUSR2)
    read_until(lambda: b'"ldm":true' in pinging.heard, 5)
    read_until(lambda: b'"ldm":true' in silent.heard, 2)
finally:
    server.kill()
told = [b'"ldm":true' in client.heard for client in both]
works = [b"MSG a 1 2\r\nhi" in silent.heard, all(b"PING" in client.heard for client in both)]
print(f"told that the server leaves: without PING {told[0]}, with PING {told[1]}")
sys.exit(0 if told == [False, True] and all(works) else 1)
PROGRAM

python3 "$folder/program.py" "$folder"
