#!/usr/bin/env bash
# postgresql: an INSERT of five rows ends with "INSERT 0 0", if they were fetched in parts.
#
# Versions:  postgresql-15 and libpq5 15.20-0+deb12u1 of Debian 12 (bookworm), amd64, and their
#            libraries libicu72 72.1-3+deb12u1, libldap-2.5-0 2.5.13+dfsg-5.
# Expected:  the tag of CommandComplete has the number of rows that were inserted, says the
#            documentation of the protocol. A client that fetches the rows of INSERT … RETURNING in
#            parts (Execute with a limit, again after each PortalSuspended) gets it at the end.
# Seen:      it has the number of rows that the last Execute returned. Five rows, two at a time, are
#            "INSERT 0 1"; with a limit of five they are "INSERT 0 0", because the portal is
#            suspended behind the last row as well. All five are in the table. So a program that
#            takes the count for what it changed thinks that nothing was inserted, and only with
#            some limits. With SELECT it is the same.
# Here:      a client of PostgreSQL on sluice that sets a limit counts the rows itself.
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
env = dict(os.environ, HOME=data, LD_LIBRARY_PATH=folder + "/usr/lib/x86_64-linux-gnu")
share = folder + "/usr/share/postgresql/15"
make = [programs + "initdb", "-D", data + "/d", "-U", "u", "-A", "trust", "-N", "-L", share]
quiet = dict(env=env, cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
subprocess.run([*user, *make, "-E", "UTF8", "--locale=C.UTF-8"], check=True, timeout=60, **quiet)
serve = [programs + "postgres", "-D", data + "/d", "-k", data, "-c", "listen_addresses="]
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
                seen.append(body[6:].decode())
            elif head[:1] == b"s":
                seen.append("suspended")
            elif head[:1] == b"C":
                seen.append(body[:-1].decode())
            elif head[:1] == b"Z":
                return seen


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def parts(sql, limit, times):
    """Parse, Bind, Execute with that limit so many times, Sync."""
    steps = message(b"P", b"\0" + sql.encode() + b"\0\0\0") + message(b"B", bytes(8))
    return steps + message(b"E", b"\0" + struct.pack("!i", limit)) * times + message(b"S", b"")


insert = "INSERT INTO t SELECT generate_series(1, 5) RETURNING a"
select = "SELECT generate_series(1, 5)"
seen = {}
try:
    for attempt in range(200):
        try:
            client = Client()
            break
        except (OSError, ConnectionError):
            time.sleep(0.1)
    for sql in (insert, select):
        for limit, times in ((0, 1), (2, 3), (5, 2)):
            client.ask(query("DROP TABLE IF EXISTS t; CREATE TABLE t (a int)"))
            answer = client.ask(parts(sql, limit, times))
            rows = client.ask(query("SELECT count(*) FROM t"))[0]
            seen[sql[:6], limit] = answer[-1], rows
            print(f"{sql}, limit {limit}: {', '.join(answer)}; in the table: {rows}")
finally:
    server.send_signal(2)
    server.wait(20)
inserts = [seen["INSERT", limit] for limit in (0, 2, 5)]
selects = [seen["SELECT", limit][0] for limit in (0, 2, 5)]
ok = (
    inserts == [("INSERT 0 5", "5"), ("INSERT 0 1", "5"), ("INSERT 0 0", "5")]
    and selects == ["SELECT 5", "SELECT 1", "SELECT 0"]
)
sys.exit(0 if ok else 1)
PROGRAM

timeout --signal=INT 90 python3 "$folder/program.py" "$folder"
