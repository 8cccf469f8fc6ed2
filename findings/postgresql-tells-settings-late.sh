#!/usr/bin/env bash
# postgresql: rows in a new encoding or style of dates come before the message that tells of it.
#
# Versions:  postgresql-15 and libpq5 15.20-0+deb12u1 of Debian 12 (bookworm), amd64, and their
#            libraries libicu72 72.1-3+deb12u1, libldap-2.5-0 2.5.13+dfsg-5.
# Expected:  ParameterStatus tells a client how to read values: client_encoding, DateStyle,
#            IntervalStyle, TimeZone. It is sent when the value changes, so it stands between the
#            answer to SET and the rows that are written in the new way. (Up to version 13 it did.)
# Seen:      it is sent at the end, in front of ReadyForQuery, behind all rows of the query or of
#            the pipeline. If the value is the old one again by then (SET LOCAL in a transaction,
#            SET and RESET in a pipeline), it is not sent at all. So a client that goes by
#            ParameterStatus reads 02/01/2026 as the first of February, and takes the byte e9 of
#            LATIN1 for broken UTF-8. One query at a time, as in most tests, finds nothing.
# Here:      a client of PostgreSQL on sluice that pipelines lets nobody change these settings, or
#            waits for ReadyForQuery behind SET.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 30 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own, and the server runs as one.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq postgresql-15=15.20-0+deb12u1 libpq5=15.20-0+deb12u1 \
    libicu72=72.1-3+deb12u1 libldap-2.5-0=2.5.13+dfsg-5
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import os, socket, struct, subprocess, sys, time

folder = sys.argv[1]
programs = folder + "/usr/lib/postgresql/15/bin/"
data = folder + "/data"
os.mkdir(data, 0o700)
# The server does not run as root.
user = []
if os.getuid() == 0:
    os.chown(data, 65534, 65534)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
env = dict(os.environ, HOME=data, LD_LIBRARY_PATH=folder + "/usr/lib/x86_64-linux-gnu", TZ="UTC")
share = folder + "/usr/share/postgresql/15"
make = [programs + "initdb", "-D", data + "/d", "-U", "u", "-A", "trust", "-N", "-L", share]
quiet = dict(env=env, cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
subprocess.run([*user, *make, "-E", "UTF8", "--locale=C.UTF-8"], check=True, timeout=60, **quiet)
settings = ["-c", "listen_addresses=", "-c", "timezone=UTC", "-c", "datestyle=ISO, MDY"]
serve = [programs + "postgres", "-D", data + "/d", "-k", data, *settings]
server = subprocess.Popen([*user, *serve], **quiet)


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(data + "/.s.PGSQL.5432")
        body = struct.pack("!i", 196608) + b"user\0u\0database\0postgres\0\0"
        self.file = self.socket.makefile("rb")
        self.ask(struct.pack("!i", len(body) + 4) + body)

    def ask(self, bytes):
        """What comes up to ReadyForQuery, of what matters here."""
        self.socket.sendall(bytes)
        seen = []
        while True:
            head = self.file.read(5)
            if len(head) < 5:
                raise ConnectionError
            body = self.file.read(struct.unpack("!i", head[1:])[0] - 4)
            if head[:1] == b"D":
                seen.append("row " + repr(body[6:])[1:])
            elif head[:1] == b"S":
                seen.append("ParameterStatus " + body.decode().replace("\0", " ").strip())
            elif head[:1] == b"C":
                seen.append(body[:-1].decode())
            elif head[:1] == b"Z":
                return seen


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def pipeline(*statements):
    steps = b""
    for sql in statements:
        steps += message(b"P", b"\0" + sql.encode() + b"\0\0\0")
        steps += message(b"B", bytes(8)) + message(b"E", bytes(5))
    return steps + message(b"S", b"")


try:
    for attempt in range(200):
        try:
            client = Client()
            break
        except (OSError, ConnectionError):
            time.sleep(0.1)
    day = "SELECT date '2026-01-02'"
    cases = {
        "one after the other": [query("SET datestyle = 'SQL, DMY'"), query("RESET datestyle")],
        "in one query": [query(f"SET datestyle = 'SQL, DMY'; {day}"), query("RESET datestyle")],
        "an encoding": [query("SET client_encoding = 'LATIN1'; SELECT chr(233)")],
        "back again": [query("RESET client_encoding")],
        "SET LOCAL": [query(f"BEGIN; SET LOCAL datestyle = 'SQL, DMY'; {day}; COMMIT")],
        "a pipeline": [pipeline("SET datestyle = 'SQL, DMY'", day, "RESET datestyle")],
    }
    seen = {}
    for name, steps in cases.items():
        seen[name] = [text for step in steps for text in client.ask(step)]
        print(f"{name}: {' | '.join(seen[name])}")
finally:
    server.send_signal(2)
    server.wait(20)
style, iso = "ParameterStatus DateStyle SQL, DMY", "ParameterStatus DateStyle ISO, MDY"
row = "row '02/01/2026'"
ok = (
    seen["one after the other"] == ["SET", style, "RESET", iso]
    and seen["in one query"] == ["SET", row, "SELECT 1", style, "RESET", iso]
    and seen["an encoding"][:3] == ["SET", "row '\\xe9'", "SELECT 1"]
    and seen["an encoding"][3:] == ["ParameterStatus client_encoding LATIN1"]
    and seen["SET LOCAL"] == ["BEGIN", "SET", row, "SELECT 1", "COMMIT"]
    and seen["a pipeline"] == ["SET", row, "SELECT 1", "RESET"]
)
sys.exit(0 if ok else 1)
PROGRAM

timeout --signal=INT 90 python3 "$folder/program.py" "$folder"
