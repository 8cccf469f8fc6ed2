#!/usr/bin/env bash
# beanstalkd: a tube that is paused runs again once it has been empty and alone for a moment.
#
# Versions:  beanstalkd 1.12-2+b1 of Debian 12 (bookworm), amd64.
# Expected:  `pause-tube mail 3600` keeps each job of the tube from workers for an hour, whatever is
#            put into it or taken out of it meanwhile.
# Seen:      a tube exists while it has a job, or somebody uses or watches it. The pause belongs to
#            the tube, so it ends with it: when the last job has been deleted, and producers and
#            workers have gone to connect again. The next `put` makes a new tube of that name, and
#            its job is given out at once. A tube that nobody uses yet cannot be paused at all
#            (NOT_FOUND). So whoever pauses a quiet queue, to change what is behind it, and restarts
#            the programs, has no pause. With one connection that watches the tube it holds.
# Here:      nothing of sluice pauses by a name. A client of beanstalkd that pauses a tube watches
#            it as long as the pause shall last.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 5 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(cd "$folder" && apt-get download -qq beanstalkd=1.12-2+b1 && dpkg -x beanstalkd_*.deb .)

cat >"$folder/program.py" <<'PROGRAM'
import socket, subprocess, sys, time

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
command = [sys.argv[1] + "/usr/bin/beanstalkd", "-l", "127.0.0.1", "-p", str(port)]
server = subprocess.Popen(command)


class Client:
    def __init__(self):
        for _ in range(500):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 20)
                self.lines = self.socket.makefile("rb")
                return
            except OSError:
                time.sleep(0.02)
        sys.exit("beanstalkd does not listen")

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\r\n")
        answer = self.lines.readline().decode().split()
        if answer[0] in ("RESERVED", "OK"):
            self.lines.read(int(answer[-1]) + 2)
        return answer

    def put(self, tube):
        self.ask("use " + tube)
        return self.ask("put 0 0 60 1\r\nx")[1]


def reserved(tube):
    worker = Client()
    worker.ask("watch " + tube)
    worker.ask("ignore default")
    return worker.ask("reserve-with-timeout 0")[0]


def paused(tube, watched):
    """Pauses a tube with a job, deletes that, and looks what becomes of the next one."""
    producer, other = Client(), Client()
    if watched:
        other.ask("watch " + tube)
    job = producer.put(tube)
    assert producer.ask(f"pause-tube {tube} 3600") == ["PAUSED"]
    first = reserved(tube)
    producer.ask("delete " + job)
    # The producer goes as well, or does what a new connection does.
    producer.ask("use default")
    # The worker's connection has been closed; the server may not have seen that yet.
    end = time.monotonic() + 20
    while not watched and producer.ask("stats-tube " + tube)[0] == "OK":
        assert time.monotonic() < end
        time.sleep(0.02)
    producer.put(tube)
    return first, reserved(tube)


try:
    unknown = Client().ask("pause-tube nobody 3600")[0]
    alone, watched = paused("alone", False), paused("watched", True)
finally:
    server.kill()
    server.wait()
print("to pause a tube that nobody uses:", unknown)
print("reserve while paused, and after the tube was empty:", alone, "; watched:", watched)
expected = ("NOT_FOUND", ("TIMED_OUT", "RESERVED"), ("TIMED_OUT", "TIMED_OUT"))
sys.exit(0 if (unknown, alone, watched) == expected else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
