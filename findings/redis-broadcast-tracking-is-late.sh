#!/usr/bin/env bash
# redis-server: with CLIENT TRACKING BCAST, the news that a key has changed comes too late.
#
# Versions:  redis-server (redis-tools) 5:7.0.15-1~deb12u10 of Debian 12 (bookworm), amd64, and its
#            libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3.
# Expected:  one connection, RESP3, tracks a key and has subscribed to a channel. Somebody sets the
#            key and then publishes "look again", in one MULTI, one script or one pipeline. The
#            order on the connection is that of the events: first `invalidate`, then the message.
# Seen:      so it is with plain CLIENT TRACKING. With BCAST the message comes first: invalidations
#            are collected until all commands of the turn are done. Who reads the key in its cache
#            when the message comes still finds the old value there.
# Here:      `on_push` of src/protocols/redis gives them as they come. Let the message carry the
#            value.
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


change = {
    "transaction": ["MULTI", "SET key 1", "PUBLISH news changed", "EXEC"],
    "script": ["EVAL \"redis.call('SET','key','2') redis.call('PUBLISH','news','')\" 1 key"],
}
seen = {}
try:
    other = connect()
    for mode in ("", "BCAST"):
        for kind, commands in change.items():
            client = connect()
            say(client, "HELLO 3", f"CLIENT TRACKING ON {mode}", "SUBSCRIBE news", "GET key")
            say(other, *commands)
            heard = say(client, "PING")
            kinds = [word for word in heard.split("\r\n") if word in ("invalidate", "message")]
            print(f"TRACKING ON {mode}, {kind}: {kinds}")
            seen[mode, kind] = kinds
            client.close()
finally:
    server.kill()
first, last = ["invalidate", "message"], ["message", "invalidate"]
ok = all(kinds == (last if mode else first) for (mode, _), kinds in seen.items())
sys.exit(0 if ok else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
