#!/usr/bin/env bash
# nats-server: after a purge, a message is refused as the duplicate of one that is gone.
#
# Versions:  nats-server 2.9.10-1+b3 of Debian 12 (bookworm), amd64, with JetStream.
# Expected:  a stream that is empty has no duplicates: what was published before a purge, or before
#            the deletion of the message, can be published again.
# Seen:      the answer is that of success: {"stream":"S","seq":1,"duplicate":true}. Nothing is
#            stored, and there is no message 1. The id is remembered for the whole duplicate_window
#            (two minutes), whatever becomes of the message.
# Here:      the chapter on NATS says so. A test that purges between two runs, or a job that was
#            taken out and is put in again with its id, loses messages without an error.
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
    answers = []
    for api, body in (("STREAM.PURGE.S", ""), ("STREAM.MSG.DELETE.S", {"seq": 2})):
        header = f"Nats-Msg-Id: {api}\r\n"
        request("a", "x", header)
        assert json.loads(request("$JS.API." + api, body)[1])["success"]
        answers.append(json.loads(request("a", "x", header)[1]))
        state = json.loads(request("$JS.API.STREAM.INFO.S")[1])["state"]
        print(f"after {api}: {answers[-1]}, messages stored: {state['messages']}")
finally:
    server.kill()
seen = [(answer["seq"], answer.get("duplicate")) for answer in answers]
sys.exit(0 if seen == [(1, True), (2, True)] and state["messages"] == 0 else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
