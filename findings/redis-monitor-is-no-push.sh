#!/usr/bin/env bash
# redis-server: with RESP3, the lines of MONITOR are no pushes.
#
# Versions:  redis-server (redis-tools) 5:7.0.15-1~deb12u10 of Debian 12 (bookworm), amd64, and its
#            libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3.
# Expected:  what the server sends unasked is a push (>) in RESP3, as messages and invalidations
#            are. So a client can go on with other commands.
# Seen:      each line is a simple string, as the reply of a command is. A client that sends PING
#            behind MONITOR takes the line about some other client for its PONG.
# Here:      src/protocols/redis refuses MONITOR. A monitor needs a connection that does nothing
#            else.
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


def connect():
    for _ in range(200):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        try:
            client.connect(path)
            return client
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the server does not start")


def say(client, *lines):
    """Sends commands, and an ECHO behind them. Returns all that comes before its reply."""
    client.sendall("".join(line + "\r\n" for line in (*lines, "ECHO over")).encode())
    heard = b""
    while not heard.endswith(b"$4\r\nover\r\n"):
        heard += client.recv(65536)
    return heard[:-10].decode()


try:
    monitor, other = connect(), connect()
    say(monitor, "HELLO 3")
    monitor.sendall(b"MONITOR\r\n")
    heard = monitor.recv(65536)
    say(other, "GET key")
    monitor.sendall(b"PING\r\n")
    while b"PONG" not in heard:
        heard += monitor.recv(65536)
finally:
    server.kill()
lines = heard.decode().split("\r\n")[:-1]
print(*lines, sep="\n")
about = next((line for line in lines if '"GET" "key"' in line), "none")
sys.exit(0 if about.startswith("+") and lines.index(about) < lines.index("+PONG") else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
