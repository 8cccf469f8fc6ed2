#!/usr/bin/env bash
# nats-server: a message can be published to a wildcard, and a stream stores it under that name.
#
# Versions:  nats-server 2.9.10-1+b3 of Debian 12 (bookworm), amd64, with JetStream.
# Expected:  `*` and `>` are for subscribing. PUB a.* is an error, or is dropped, or goes to all.
# Seen:      neither. It is a literal name: it reaches who has subscribed to a.* or a.>, not who has
#            subscribed to a.b, and JetStream keeps it as a message with the subject "a.*", with the
#            usual answer. Whoever reads the stream later by a.b does not get it.
# Here:      `publish` of src/protocols/nats throws for a subject with wildcards. A program that
#            makes subjects of what users type has to check them itself with other clients.
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
    store("S", ["a.>"])
    client.sendall(b"SUB a.b 2\r\n")
    answers = [request(subject, "x")[1] for subject in ("a.*", "a.>")]
    stored = []
    for seq in (1, 2):
        record = json.loads(request("$JS.API.STREAM.MSG.GET.S", {"seq": seq})[1])
        stored.append(record["message"]["subject"])
    print(f"answers: {answers}, stored: {stored}")
finally:
    server.kill()
sys.exit(0 if stored == ["a.*", "a.>"] and "error" not in "".join(answers) else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
