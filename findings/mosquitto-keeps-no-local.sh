#!/usr/bin/env bash
# mosquitto: to subscribe again changes the QoS, but not No Local and Retain As Published.
#
# Versions:  mosquitto, libmosquitto1 2.0.11-1.2+deb12u2, libcjson1 1.7.15-1+deb12u4, libdlt2
#            2.18.8-6, libwrap0 7.6.q-32 of Debian 12 (bookworm), amd64.
# Expected:  a SUBSCRIBE with a topic filter that the session has replaces the subscription, with
#            all its options (MQTT 5, 3.8.4).
# Seen:      the QoS and the subscription identifier are those of the second one, No Local and
#            Retain As Published stay those of the first. So a program that has been changed to
#            leave out No Local still does not get its own messages, as long as its session lasts;
#            and one that has been changed to ask for the retain flag does not get it. SUBACK says
#            success. UNSUBSCRIBE in between helps, or a new session: so a test finds nothing.
# Here:      an MQTT client on sluice unsubscribes before it subscribes with other options.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq mosquitto=2.0.11-1.2+deb12u2 libmosquitto1=2.0.11-1.2+deb12u2 \
    libwrap0=7.6.q-32 libcjson1=1.7.15-1+deb12u4 libdlt2=2.18.8-6
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import os, socket, struct, subprocess, sys, time

folder = sys.argv[1]
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
with open(folder + "/config", "w") as config:
    config.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
libraries = folder + "/usr/lib/x86_64-linux-gnu"
broker = subprocess.Popen(
    [folder + "/usr/sbin/mosquitto", "-c", folder + "/config"],
    env={**os.environ, "LD_LIBRARY_PATH": libraries},
    stderr=subprocess.DEVNULL,
)
NO_LOCAL, RETAIN_AS_PUBLISHED = 0x04, 0x08
CONNACK, PUBLISH, SUBACK, UNSUBACK, PINGRESP = 2, 3, 9, 11, 13


def text(string):
    return struct.pack(">H", len(string)) + string.encode()


class Client:
    """All its packets are shorter than 128 bytes."""

    def __init__(self, name):
        for _ in range(500):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 20)
                break
            except OSError:
                time.sleep(0.02)
        self.reader = self.socket.makefile("rb")
        # MQTT 5, clean start.
        self.send(0x10, text("MQTT") + b"\x05\x02\0\0\0" + text(name))
        assert self.read()[0] >> 4 == CONNACK

    def send(self, head, body):
        self.socket.sendall(bytes([head, len(body)]) + body)

    def read(self):
        head, length = self.reader.read(2)
        return head, self.reader.read(length)

    def subscribe(self, topic, qos, option, identifier):
        properties = bytes([2, 0x0B, identifier])
        self.send(0x82, b"\0\1" + properties + text(topic) + bytes([qos | option]))
        head, body = self.read()
        assert head >> 4 == SUBACK and body[-1] == qos

    def unsubscribe(self, topic):
        self.send(0xA2, b"\0\2\0" + text(topic))
        assert self.read()[0] >> 4 == UNSUBACK

    def publish(self, topic):
        # QoS 1 and retain; the acknowledgement is among what is read.
        self.send(0x33, text(topic) + b"\0\3\0hello")

    def messages(self):
        """Those that have come before the answer to a ping: qos, retain flag, identifier."""
        self.send(0xC0, b"")
        found = []
        while True:
            head, body = self.read()
            if head >> 4 == PINGRESP:
                return found
            if head >> 4 == PUBLISH:
                assert body.endswith(b"hello")
                found.append(((head >> 1) & 3, head & 1, body[-6]))


def run(topic, first, second, between=False):
    """Subscribes twice, and gives what comes behind each; the client hears itself."""
    client = Client(topic)
    client.subscribe(topic, 0, first, 1)
    client.publish(topic)
    before = client.messages()
    if between:
        client.unsubscribe(topic)
    # Retain Handling 2: what is retained is not sent now.
    client.subscribe(topic, 1, second | 0x20, 2)
    client.publish(topic)
    return before, client.messages()


try:
    seen = {
        "no local, then not": run("a", NO_LOCAL, 0),
        "not, then no local": run("b", 0, NO_LOCAL),
        "retain, then not": run("c", RETAIN_AS_PUBLISHED, 0),
        "not, then retain": run("d", 0, RETAIN_AS_PUBLISHED),
        "no local, unsubscribed, then not": run("e", NO_LOCAL, 0, True),
    }
finally:
    broker.kill()
    broker.wait()
for what, (before, after) in seen.items():
    print(f"{what}: (qos, retain, identifier) {before}, {after}")
expected = [
    ([], []),
    ([(0, 0, 1)], [(1, 0, 2)]),
    ([(0, 1, 1)], [(1, 1, 2)]),
    ([(0, 0, 1)], [(1, 0, 2)]),
    ([], [(1, 0, 2)]),
]
sys.exit(0 if list(seen.values()) == expected else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
