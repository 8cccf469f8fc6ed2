#!/usr/bin/env bash
# mosquitto: a client that is replaced by another one with its name is not told so.
#
# Versions:  mosquitto 2.0.11-1.2+deb12u2 of Debian 12 (bookworm), amd64, and its libraries
#            libcjson1 1.7.15-1+deb12u4, libdlt2 2.18.8-6, libwrap0 7.6.q-32.
# Expected:  with MQTT 5, the broker sends the old client DISCONNECT with the reason 0x8E, "Session
#            taken over", before it closes (3.1.4). A client that sees it does not connect again.
# Seen:      the connection ends without a packet, as if the network had failed. So two programs
#            with the same client id throw each other out in turn, for ever: each connects again, as
#            after any loss, and neither log says why.
# Here:      a client of MQTT on sluice has to count losses right after connecting. It cannot rely
#            on the reason.
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


try:
    old = Client("same")
    works = old.ping() == []
    new = Client("same")
    heard = old.until(0xE0)
    print(f"the old one works: {works}, then hears: {heard}; the new one: {new.ping()}")
finally:
    broker.kill()
sys.exit(0 if works and heard == [] else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
