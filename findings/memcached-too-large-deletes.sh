#!/usr/bin/env bash
# memcached: a value that is too large deletes the one that was there.
#
# Versions:  memcached 1.6.18-1+deb12u1 of Debian 12 (bookworm), amd64, and its libraries
#            libevent-2.1-7 2.1.12-stable-8+deb12u1, libsasl2-2 2.1.28+dfsg-10+deb12u1.
# Expected:  a command that fails ("SERVER_ERROR object too large for cache") changes nothing.
# Seen:      so it is with add, replace, append and cas. After set, and ms of the meta protocol, the
#            key is empty: the old value was deleted, so that nobody sees an outdated one. Who falls
#            back to "the last good one" after a refused set finds none; and who counts on add to
#            fail while the key is there gets STORED.
# Here:      a client of memcached on sluice must take that error for a deletion.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq \
    memcached=1.6.18-1+deb12u1 \
    libevent-2.1-7=2.1.12-stable-8+deb12u1 \
    libsasl2-2=2.1.28+dfsg-10+deb12u1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import socket, subprocess, sys, time

folder = sys.argv[1]
path = folder + "/memcached.sock"
command = [folder + "/usr/bin/memcached", "-s", path, "-u", "root"]
libraries = {"LD_LIBRARY_PATH": folder + "/usr/lib/x86_64-linux-gnu"}
server = subprocess.Popen(command, env=libraries)
client = socket.socket(socket.AF_UNIX)
client.settimeout(10)
for _ in range(100):
    try:
        client.connect(path)
        break
    except OSError:
        time.sleep(0.05)
reader = client.makefile("rb")


def ask(command, value=b""):
    client.sendall(command.encode() + b"\r\n" + (value + b"\r\n" if value else b""))
    return reader.readline().decode().strip()


large = b"x" * 2_000_000
seen = {}
try:
    for command in ("set a 0 0 2000000", "ms a 2000000", "add a 0 0 2000000",
                    "replace a 0 0 2000000", "append a 0 0 2000000", "cas a 0 0 2000000 1"):
        assert ask("set a 0 0 3", b"old") == "STORED"
        assert ask(command, large) == "SERVER_ERROR object too large for cache"
        # The answer of mg has the size, and no value: EN is none.
        seen[command.split()[0]] = ask("mg a s")
finally:
    server.kill()
print(seen)
kept = {name: answer == "HD s3" for name, answer in seen.items()}
sys.exit(0 if list(kept.values()) == [False, False, True, True, True, True] else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
