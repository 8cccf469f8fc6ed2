#!/usr/bin/env bash
# mosquitto: members of a shared subscription get retained messages, and take their jobs away with
# them.
#
# Versions:  mosquitto 2.0.11-1.2+deb12u2 of Debian 12 (bookworm), amd64, and its libraries
#            libcjson1 1.7.15-1+deb12u4, libdlt2 2.18.8-6, libwrap0 7.6.q-32.
# Expected:  $share/group/jobs is a queue: each message goes to one member. So a retained message,
#            which would go to each that comes, is not sent to them (MQTT 5, 4.8.2); and what a
#            member has not acknowledged with QoS 1 when its session ends goes to another one (it
#            SHOULD, says 4.8.2).
# Seen:      the retained message is sent to every member that subscribes, again and again: a job
#            that was published with retain is done as often as a worker starts. And what a member
#            had when it left is lost: of four messages to two members, two are never seen by the
#            one that stays.
# Here:      for jobs on sluice, a queue with acknowledgements of its own (RedisQueue, JetStream).
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
    mosquitto=2.0.11-1.2+deb12u2 \
    libwrap0=7.6.q-32 libcjson1=1.7.15-1+deb12u4 \
    libdlt2=2.18.8-6 \
    libmosquitto1=2.0.11-1.2+deb12u2
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import os, socket, struct, subprocess, sys, time

folder = sys.argv[1]
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open(folder + "/mosquitto.conf", "w") as config:
    config.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
broker = subprocess.Popen(
    [folder + "/usr/sbin/mosquitto", "-c", folder + "/mosquitto.conf"],
    env={"LD_LIBRARY_PATH": folder + "/usr/lib/x86_64-linux-gnu"},
    stderr=subprocess.DEVNULL,
)


def text(it):
    return struct.pack("!H", len(it)) + it.encode()


class Client:
    """Speaks MQTT 3.1.1 (4) or 5. Its packets are shorter than 128 bytes."""

    def __init__(self, name, version=5):
        self.none = b"\0" if version == 5 else b""
        for _ in range(200):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
                break
            except OSError:
                time.sleep(0.05)
        self.reader = self.socket.makefile("rb")
        self.send(0x10, text("MQTT") + bytes([version, 2, 0, 60]) + self.none + text(name))
        self.until(0x20)

    def send(self, kind, body):
        self.socket.sendall(bytes([kind, len(body)]) + body)

    def until(self, last):
        """What comes, up to a packet of that kind; or to the end."""
        packets = []
        while not packets or packets[-1][0] != last:
            head = self.reader.read(2)
            if len(head) < 2:
                break
            packets.append((head[0], self.reader.read(head[1])))
        return packets

    def subscribe(self, topic, qos):
        self.send(0x82, b"\0\1" + self.none + text(topic) + bytes([qos]))
        return self.until(0x90)

    def publish(self, topic, data, qos=1, retain=0):
        body = text(topic) + (b"\0\2" if qos else b"") + self.none + data
        self.send(0x30 | qos << 1 | retain, body)
        return self.until(0x40) if qos else []

    def ping(self):
        """What came until now."""
        self.send(0xC0, b"")
        return self.until(0xD0)[:-1]


jobs = "$share/group/jobs"
try:
    boss = Client("boss")
    boss.publish("jobs", b"kept", retain=1)
    members = [Client("one"), Client("two")]
    retained = []
    for member in members:
        packets = member.subscribe(jobs, 1) + member.ping()
        retained.append(sum(kind == 0x33 for kind, _ in packets))
    for number in b"1234":
        boss.publish("jobs", bytes([number]))
    got = [[body[-1:] for kind, body in member.ping() if kind == 0x32] for member in members]
    # The first leaves, by DISCONNECT, and its session ends.
    members[0].send(0xE0, b"")
    members[0].until(None)
    third = Client("three")
    third.subscribe(jobs, 1)
    time.sleep(1)
    again = [kind for member in (members[1], third) for kind, _ in member.ping() if kind == 0x32]
finally:
    broker.kill()
print(f"retained: {retained}, jobs: {got}, jobs of the first after it has left: {len(again)}")
ok = retained == [1, 1] and [len(each) for each in got] == [2, 2] and again == []
sys.exit(0 if ok else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
