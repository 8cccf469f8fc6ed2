#!/usr/bin/env bash
# redis-server: with RESP3, SUBSCRIBE in a transaction makes the array of EXEC too short.
#
# Versions:  redis-server (redis-tools) 5:7.0.15-1~deb12u10 of Debian 12 (bookworm), amd64, and its
#            libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3.
# Expected:  pushes may stand anywhere between replies, and are no replies. So EXEC of SUBSCRIBE and
#            PING announces as many elements as follow, besides the pushes.
# Seen:      it announces one element for each command, *2. SUBSCRIBE gives only its pushes, behind
#            the head of the array, so one element never comes. A client that takes the announced
#            count takes the next reply of the connection for it.
# Here:      src/protocols/redis/transaction.ts refuses SUBSCRIBE.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq redis-tools=5:7.0.15-1~deb12u10 libjemalloc2=5.3.0-1 liblzf1=3.6-3
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import os, socket, subprocess, sys, time

folder = sys.argv[1]
path = folder + "/redis.sock"
# What it is depends on its name.
os.symlink(folder + "/usr/bin/redis-check-rdb", folder + "/redis-server")
libraries = folder + "/usr/lib/x86_64-linux-gnu"
command = [folder + "/redis-server", "--port", "0", "--unixsocket", path, "--save", ""]
server = subprocess.Popen(
    command, cwd=folder, env={"LD_LIBRARY_PATH": libraries}, stdout=subprocess.DEVNULL
)
try:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    for _ in range(100):
        try:
            client.connect(path)
            break
        except OSError:
            time.sleep(0.05)
    client.sendall(b"HELLO 3\r\nMULTI\r\nSUBSCRIBE a\r\nPING\r\nEXEC\r\nECHO next\r\n")
    heard = b""
    while not heard.endswith(b"$4\r\nnext\r\n"):
        heard += client.recv(65536)
finally:
    server.kill()

reply = heard[heard.index(b"+QUEUED\r\n+QUEUED\r\n") + 18 :]
print("EXEC and ECHO:", reply)
push = b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
sys.exit(reply != b"*2\r\n" + push + b"+PONG\r\n" + b"$4\r\nnext\r\n")
PROGRAM

python3 "$folder/program.py" "$folder"
