#!/usr/bin/env bash
# redis-server: a consumer that reads its own pending entries makes them look freshly delivered.
#
# Versions:  redis-server (redis-tools) 5:7.0.15-1~deb12u10 of Debian 12 (bookworm), amd64, and its
#            libraries libjemalloc2 5.3.0-1, liblzf1 3.6-3.
# Expected:  XREADGROUP with the id 0 instead of > looks at what the consumer has pending, after a
#            restart or a loss of the connection. It changes nothing; delivering again is what
#            XCLAIM and XAUTOCLAIM are for.
# Seen:      each such read adds one to the number of deliveries of every entry that it returns, and
#            sets how long they have been idle to 0. So a consumer that reconnects again and again
#            and never finishes keeps its entries out of XAUTOCLAIM's min-idle-time, and looks as if
#            each entry had failed as often as the connection.
# Here:      the chapter on Redis says so of `stream` with a group.
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
    client = connect()
    say(
        client,
        "XADD jobs 1-1 do this",
        "XGROUP CREATE jobs group 0",
        "XREADGROUP GROUP group me STREAMS jobs >",
    )
    time.sleep(1)


    def pending():
        """Idle for how many milliseconds, delivered how often."""
        lines = say(client, "XPENDING jobs group - + 1").split("\r\n")
        return [int(line[1:]) for line in lines if line.startswith(":")]


    before = pending()
    say(client, "XREADGROUP GROUP group me STREAMS jobs 0")
    after = pending()
finally:
    server.kill()
print(f"idle, deliveries: {before} before reading what is pending, {after} after it")
ok = before[0] >= 1000 and after[0] < 1000 and (before[1], after[1]) == (1, 2)
sys.exit(0 if ok else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
