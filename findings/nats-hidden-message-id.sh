#!/usr/bin/env bash
# nats-server: a header named X-Nats-Msg-Id switches off the deduplication of the message.
#
# Versions:  nats-server 2.9.10-1+b3 of Debian 12 (bookworm), amd64, with JetStream.
# Expected:  a message that is published twice with the same Nats-Msg-Id is stored once, whatever
#            other fields its header has.
# Seen:      stored twice, if an earlier line contains the name: in a longer name (X-Nats-Msg-Id) or
#            in a value ("see Nats-Msg-Id"). With that line behind it, it is stored once. (The
#            server looks for the first place of the name in the bytes, and gives up if no line
#            begins there.)
# Here:      src/protocols/nats/jetstream writes its own fields first. Who copies the headers of a
#            message that came, under names of his own, must put them last.
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
reader = client.makefile("rb")
client.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB answer 1\r\n')


def request(subject, data="", header=""):
    """The text of the answer, and its header."""
    text = data if isinstance(data, str) else json.dumps(data)
    head = f"NATS/1.0\r\n{header}\r\n".encode()
    size = len(head) + len(text)
    client.sendall(f"HPUB {subject} answer {len(head)} {size}\r\n".encode())
    client.sendall(head + text.encode() + b"\r\n")
    while True:
        words = reader.readline().decode().split()
        if words[0] == "PING":
            client.sendall(b"PONG\r\n")
        if words[0] in ("MSG", "HMSG"):
            body = reader.read(int(words[-1]) + 2)[:-2].decode()
            return (words, body)


def store(name, subjects):
    config = {"name": name, "subjects": subjects, "storage": "memory"}
    request(f"$JS.API.STREAM.CREATE.{name}", config)

try:
    store("S", ["a"])
    seen = {}
    for header in (
        "Nats-Msg-Id: 1\r\n",
        "X-Nats-Msg-Id: 0\r\nNats-Msg-Id: 2\r\n",
        "Note: see Nats-Msg-Id\r\nNats-Msg-Id: 3\r\n",
        "Nats-Msg-Id: 4\r\nX-Nats-Msg-Id: 0\r\n",
    ):
        request("a", "x", header)
        seen[header] = json.loads(request("a", "x", header)[1]).get("duplicate", False)
        print(f"{header!r}: the second one is known: {seen[header]}")
finally:
    server.kill()
sys.exit(0 if list(seen.values()) == [True, False, False, True] else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
