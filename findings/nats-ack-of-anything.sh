#!/usr/bin/env bash
# nats-server: an acknowledgement is confirmed although nothing was acknowledged.
#
# Versions:  nats-server 2.9.10-1+b3 of Debian 12 (bookworm), amd64, with JetStream.
# Expected:  an acknowledgement with a reply subject ("double ack") is confirmed when the server has
#            recorded it. For a message that the consumer has given up, or never delivered, there is
#            an error or no answer.
# Seen:      the same empty message in each case: for +ACK after +TERM, and for +ACK of a message
#            that was deleted from the stream. Only where the consumer does not exist the answer is
#            another one (503).
# Here:      `double_ack()` of src/protocols/nats tells that the server has read it, not that this
#            consumer's work counts. Exactly once needs a record of one's own.
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
    config = {"durable_name": "c", "ack_policy": "explicit"}
    request("$JS.API.CONSUMER.DURABLE.CREATE.S.c", {"stream_name": "S", "config": config})
    request("a", "x")
    words, _ = request("$JS.API.CONSUMER.MSG.NEXT.S.c", "1")
    ack = next(word for word in words if word.startswith("$JS.ACK"))
    seen = {}
    for name, subject, word in (
        ("given up", ack, "+TERM"),
        ("and then acknowledged", ack, "+ACK"),
        ("after it was deleted", ack, "+ACK"),
        ("after the consumer was deleted", ack, "+ACK"),
    ):
        if name == "after it was deleted":
            request("$JS.API.STREAM.MSG.DELETE.S", {"seq": 1})
        if name == "after the consumer was deleted":
            request("$JS.API.CONSUMER.DELETE.S.c")
        words, body = request(subject, word)
        seen[name] = words[0] == "MSG" and body == ""
        print(f"{name}: {'confirmed' if seen[name] else body.splitlines()[0]}")
finally:
    server.kill()
sys.exit(0 if list(seen.values()) == [True, True, True, False] else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
