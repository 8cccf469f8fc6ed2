#!/usr/bin/env bash
# gearmand: a background job that it has accepted is dropped when somebody else hangs up.
#
# Versions:  gearman-job-server 1.1.20+ds-1 of Debian 12 (bookworm), amd64, with its libraries (see
#            below).
# Expected:  JOB_CREATED for a background job is a promise: the job waits for a worker, whatever
#            becomes of the client. A second client that submits the same function with the same
#            unique id joins that job. If it leaves, it leaves.
# Seen:      a foreground client that joins a waiting background job, and closes its connection
#            before a worker comes, takes the job with it. So it is the other way round, too: a
#            background job that joined a foreground one ends with that one's client. Nobody is
#            told; the worker gets NO_JOB. (It looks as if a job went once the clients that wait for
#            it have all gone, and a background client does not wait.) Each alone is right, so a
#            test of either finds nothing.
# Here:      nothing of sluice joins jobs by an id. A client of gearmand gives each background job
#            a unique id of its own, or none.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 15 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq gearman-job-server=1.1.20+ds-1 libhiredis0.14=0.14.1-3 \
    libmemcached11=1.1.4-1 libhashkit2=1.1.4-1 libmariadb3=1:10.11.19-0+deb12u1 \
    libpq5=15.20-0+deb12u1 libboost-program-options1.74.0=1.74.0+ds1-21 \
    libevent-2.1-7=2.1.12-stable-8+deb12u1 libevent-pthreads-2.1-7=2.1.12-stable-8+deb12u1 \
    libsqlite3-0=3.40.1-2+deb12u2 libldap-2.5-0=2.5.13+dfsg-5 libsasl2-2=2.1.28+dfsg-10
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import socket, struct, subprocess, sys, time

folder = sys.argv[1]
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
command = [folder + "/usr/sbin/gearmand", "-L", "127.0.0.1", "-p", str(port)]
environment = {"LD_LIBRARY_PATH": folder + "/usr/lib/x86_64-linux-gnu"}
server = subprocess.Popen(command + ["-l", folder + "/log"], env=environment, cwd=folder)

CAN_DO, SUBMIT_JOB, JOB_CREATED, GRAB_JOB, JOB_ASSIGN = 1, 7, 8, 9, 11
SUBMIT_JOB_BG = 18

# No connection ends by itself.
everybody = []


class Peer:
    def __init__(self):
        for _ in range(500):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 20)
                everybody.append(self.socket)
                return
            except OSError:
                time.sleep(0.02)
        sys.exit("gearmand does not listen")

    def send(self, kind, *parts):
        data = b"\0".join(parts)
        self.socket.sendall(b"\0REQ" + struct.pack(">II", kind, len(data)) + data)

    def read(self):
        kind, size = struct.unpack(">II", self.exactly(12)[4:])
        return kind, self.exactly(size)

    def exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                sys.exit("gearmand has closed")
            data += part
        return data


def submit(kind, name):
    peer = Peer()
    peer.send(kind, name, b"the-id", b"work")
    answer, handle = peer.read()
    assert answer == JOB_CREATED
    return peer, handle


def connections():
    """How many there are. This command is the only one on its connection that is text."""
    asking = socket.create_connection(("127.0.0.1", port), 20)
    everybody.append(asking)
    asking.sendall(b"workers\n")
    answer = b""
    while not answer.endswith(b".\n"):
        answer += asking.recv(65536)
    return answer.count(b"\n") - 1


def run(name, kinds, leaves):
    """Submits in that order; one of them leaves; is there work for a worker?"""
    submitted = [submit(kind, name) for kind in kinds]
    assert submitted[0][1] == submitted[-1][1]
    before = connections()
    submitted[leaves][0].socket.close()
    # Each look is a connection more, and one has gone.
    looks = 1
    while connections() != before + looks - 1:
        looks += 1
        time.sleep(0.02)
    worker = Peer()
    worker.send(CAN_DO, name)
    worker.send(GRAB_JOB)
    return "work" if worker.read()[0] == JOB_ASSIGN else "none"


try:
    seen = {
        "background alone": run(b"a", [SUBMIT_JOB_BG], 0),
        "background, foreground": run(b"b", [SUBMIT_JOB_BG, SUBMIT_JOB], 1),
        "foreground, background": run(b"c", [SUBMIT_JOB, SUBMIT_JOB_BG], 0),
        "foreground, foreground": run(b"d", [SUBMIT_JOB, SUBMIT_JOB], 0),
    }
finally:
    server.kill()
    server.wait()
print("left for the worker:", seen)
sys.exit(0 if list(seen.values()) == ["work", "none", "none", "work"] else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
