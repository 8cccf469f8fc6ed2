#!/usr/bin/env bash
# nats-server: SUB with a subscription id that is in use is dropped without a word.
#
# Versions:  nats-server 2.9.10-1+b3 of Debian 12 (bookworm), amd64.
# Expected:  an error, or the new subject replaces the old one, or both count.
# Seen:      the second SUB does nothing; with "verbose" it is answered by +OK even. The old subject
#            goes on. So it is after UNSUB with a count that is not reached: an id that is given out
#            again too early subscribes to nothing.
# Here:      src/protocols/nats never uses an id twice on a connection.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(cd "$folder" && apt-get download -qq nats-server=2.9.10-1+b3 && dpkg -x nats-server_*.deb .)

cat >"$folder/program.py" <<'PROGRAM'
import json, re, socket, subprocess, sys

folder = sys.argv[1]
command = [folder + "/usr/sbin/nats-server", "-a", "127.0.0.1", "-p", "-1"]
command += ["-js", "-sd", folder + "/store"]
server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
for line in server.stderr:
    port = re.search(r"client connections on \S+:(\d+)", line)
    if port:
        break
client = socket.create_connection(("127.0.0.1", int(port[1])), timeout=10)
try:
    client.sendall(
        b'CONNECT {"verbose":true}\r\n'
        b"SUB one 1\r\nUNSUB 1 5\r\nSUB two 1\r\n"
        b"PUB one 1\r\na\r\nPUB two 1\r\nb\r\nPING\r\n"
    )
    heard = b""
    while b"PONG" not in heard:
        heard += client.recv(65536)
finally:
    server.kill()
said = heard[heard.index(b"\r\n") + 2 :]
print(said)
# CONNECT, SUB, UNSUB, SUB, PUB, its message, PUB: no message.
sys.exit(0 if sorted(said.split(b"\r\n")[:-1]) == sorted(
    [b"+OK"] * 6 + [b"MSG one 1 1", b"a", b"PONG"]
) else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
