#!/usr/bin/env bash
# mosquitto: a second, overlapping subscription can take the QoS of the first one away.
#
# Versions:  mosquitto 2.0.11-1.2+deb12u2 of Debian 12 (bookworm), amd64, and its libraries
#            libcjson1 1.7.15-1+deb12u4, libdlt2 2.18.8-6, libwrap0 7.6.q-32.
# Expected:  with MQTT 3.1.1 a client that has subscribed to a/# with QoS 1 and to a/b with QoS 0
#            gets a message to a/b once, with QoS 1: "the Server MUST deliver the message to the
#            Client respecting the maximum QoS of all the matching subscriptions" (MQTT-3.3.5-1).
# Seen:      it gets it with QoS 0. What counts is the subscription that the broker finds first,
#            which is the one with the more exact filter, whichever was made first. So a part of a
#            program that watches one topic with QoS 0 makes the messages to it unreliable for
#            another part that has asked for QoS 1. (With MQTT 5 each subscription gets a copy of
#            its own.)
# Here:      a client of MQTT on sluice that shares one connection has to take the highest QoS
#            itself.
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


seen = {}
try:
    for name, subscriptions in {
        "a/# 1": [("a/#", 1)],
        "a/# 1, a/b 0": [("a/#", 1), ("a/b", 0)],
        "a/b 0, a/# 1": [("a/b", 0), ("a/#", 1)],
        "a/# 0, a/b 1": [("a/#", 0), ("a/b", 1)],
    }.items():
        client = Client("client", 4)
        for topic, qos in subscriptions:
            client.subscribe(topic, qos)
        packets = client.publish("a/b", b"hi") + client.ping()
        seen[name] = [kind >> 1 & 3 for kind, _ in packets if kind >> 4 == 3]
        print(f"subscribed to {name}: a message to a/b comes with QoS {seen[name]}")
        client.socket.close()
finally:
    broker.kill()
sys.exit(0 if list(seen.values()) == [[1], [0], [0], [1]] else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
