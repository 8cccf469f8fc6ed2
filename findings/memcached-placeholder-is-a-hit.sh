#!/usr/bin/env bash
# memcached: what a meta command has marked as not there yet, or out of date, is a hit to `get`.
#
# Versions:  memcached 1.6.18-1+deb12u1, libevent-2.1-7 2.1.12-stable-8+deb12u1, libsasl2-2
#            2.1.28+dfsg-10 of Debian 12 (bookworm), amd64.
# Expected:  `mg key v N30` makes a placeholder for a key that is missing, so that only one client
#            computes it; `md key I T30` marks a value as out of date, in the same way. A client
#            that knows only the classic commands sees a miss, computes, and sets or adds.
# Seen:      `get` gives both: the placeholder as an empty value, the value that is out of date as
#            if it were good, and `add` is refused (NOT_STORED). So a program that was written
#            before the meta commands caches and shows an empty page for each key that another one
#            is computing. And `append` to a value that is out of date takes the mark away: all of
#            it counts as fresh from then on. With clients of one kind nothing of this shows.
# Here:      a client of memcached on sluice uses meta commands for all keys, or for none.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq memcached=1.6.18-1+deb12u1 libevent-2.1-7=2.1.12-stable-8+deb12u1 \
    libsasl2-2=2.1.28+dfsg-10
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import socket, subprocess, sys, time

folder = sys.argv[1]
path = folder + "/socket"
command = [folder + "/usr/bin/memcached", "-u", "root", "-s", path]
libraries = f"{folder}/usr/lib/x86_64-linux-gnu"
server = subprocess.Popen(command, env={"LD_LIBRARY_PATH": libraries})


def connected():
    for _ in range(500):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        try:
            client.connect(path)
            return client
        except OSError:
            client.close()
            time.sleep(0.02)
    sys.exit("memcached does not listen")


try:
    client = connected()
    lines = client.makefile("rb")

    def ask(command):
        client.sendall(command.encode() + b"\r\n")
        answer = []
        while True:
            answer.append(lines.readline().decode().strip())
            # A value is a line more, and END behind that.
            if answer[0].startswith("VA "):
                return [*answer, lines.readline().decode().strip()]
            if not answer[0].startswith("VALUE") or answer[-1] == "END":
                return answer

    seen = {
        "missing": ask("get page"),
        "placeholder": ask("mg page v N30"),
        "second client": ask("mg page v N30"),
        "get of it": ask("get page"),
        "add to it": ask("add page 0 0 4\r\nfull"),
        "value": ask("set old 0 0 1\r\na"),
        "out of date": ask("md old I T30"),
        "get of that": ask("get old"),
        "add to that": ask("add old 0 0 1\r\nb"),
        "first meta get": ask("mg old v"),
        "second meta get": ask("mg old v"),
        "append": ask("append old 0 0 1\r\nz"),
        "meta get behind it": ask("mg old v"),
    }
finally:
    server.kill()
    server.wait()
for what, answer in seen.items():
    print(f"{what}: {answer}")
expected = [
    ["END"],
    ["VA 0 W", ""],
    ["VA 0 Z", ""],
    ["VALUE page 0 0", "", "END"],
    ["NOT_STORED"],
    ["STORED"],
    ["HD"],
    ["VALUE old 0 1", "a", "END"],
    ["NOT_STORED"],
    ["VA 1 X W", "a"],
    ["VA 1 Z X", "a"],
    ["STORED"],
    ["VA 2", "az"],
]
sys.exit(0 if list(seen.values()) == expected else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
