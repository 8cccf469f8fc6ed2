#!/usr/bin/env bash
# prosody: a line end or a tab in an attribute arrives as a blank, and a CR in a text as LF.
#
# Versions:  prosody 0.12.3-1+deb12u1, lua5.4 and liblua5.4-0 5.4.4-3+deb12u1, lua-expat 1.5.1-3,
#            lua-filesystem 1.8.0-3, lua-socket 3.1.0-1+b1, lua-sec 1.2.0-2, lua-bitop 1.0.2-7,
#            libicu72 72.1-3+deb12u1 of Debian 12 (bookworm), amd64.
# Expected:  XML has escapes for what a parser would else make a blank or LF of (XML 1.0, 2.11 and
#            3.3.3): a client that sends `a='1&#10;2'` and `3&#13;4`, as each good writer of XML
#            does, has them come out as "1\n2" and "3\r4" at the other client.
# Seen:      the server reads both rightly, and writes them without the escape. So the next parser
#            sees a line end as such: an attribute with a tab or a line end arrives with a blank
#            instead, and CR LF in a text as LF. Both clients are right, and so is each alone with
#            itself; a signature or a checksum over the text fails. &lt;, &amp; and quotes are
#            escaped again, so that a test with those finds nothing.
# Here:      nothing of sluice writes XML. Payloads that go through XMPP are sent as base64.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 20 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq prosody=0.12.3-1+deb12u1 lua5.4=5.4.4-3+deb12u1 \
    liblua5.4-0=5.4.4-3+deb12u1 lua-expat=1.5.1-3 lua-filesystem=1.8.0-3 \
    lua-socket=3.1.0-1+b1 lua-sec=1.2.0-2 lua-bitop=1.0.2-7 libicu72=72.1-3+deb12u1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.py" <<'PROGRAM'
import os, re, socket, subprocess, sys, time
import xml.etree.ElementTree as etree

folder = sys.argv[1]
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
os.mkdir(folder + "/data")
with open(folder + "/prosody.cfg.lua", "w") as config:
    config.write(
        f"""
data_path = "{folder}/data"
pidfile = "{folder}/pid"
certificates = "{folder}/data"
run_as_root = true
modules_enabled = {{ "saslauth", "message", "presence" }}
modules_disabled = {{ "s2s" }}
c2s_require_encryption = false
c2s_ports = {{ {port} }}
c2s_interfaces = {{ "127.0.0.1" }}
authentication = "anonymous"
storage = "memory"
VirtualHost "localhost"
"""
    )
# The program has the places of an installation in it.
with open(folder + "/usr/bin/prosody") as file:
    program = file.read().replace("/usr/lib/prosody", folder + "/usr/lib/prosody")
with open(folder + "/prosody.lua", "w") as file:
    file.write(program.replace("/var/lib/prosody", folder + "/data"))
share, library = folder + "/usr/share/lua/5.4", folder + "/usr/lib/x86_64-linux-gnu"
environment = {
    **os.environ,
    "LUA_PATH": f"{share}/?.lua;{share}/?/init.lua;{folder}/usr/lib/prosody/?.lua;;",
    "LUA_CPATH": f"{library}/lua/5.4/?.so;{folder}/usr/lib/prosody/?.so;;",
    "LD_LIBRARY_PATH": library,
}
command = [folder + "/usr/bin/lua5.4", folder + "/prosody.lua"]
server = subprocess.Popen(
    [*command, "--config", folder + "/prosody.cfg.lua"],
    env=environment,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
STREAM = (
    "<stream:stream to='localhost' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)


class Client:
    def __init__(self):
        for _ in range(1000):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 20)
                break
            except OSError:
                time.sleep(0.02)
        self.ask(STREAM, "</stream:features>")
        xmlns = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
        self.ask(f"<auth {xmlns} mechanism='ANONYMOUS'/>", "<success")
        self.ask(STREAM, "</stream:features>")
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        answer = self.ask(f"<iq type='set' id='1'>{bind}</iq>", "</iq>")
        self.name = re.search("<jid>(.*?)</jid>", answer)[1]

    def ask(self, text, until):
        self.socket.sendall(text.encode())
        return self.read(until)

    def read(self, until):
        text = ""
        while until not in text:
            part = self.socket.recv(65536)
            if not part:
                sys.exit("prosody has closed")
            text += part.decode()
        return text


try:
    sender, receiver = Client(), Client()
    inside = "<x xmlns='test' a='1&#10;2&#9;3&lt;&quot;'>4&#13;5&#13;&#10;6&amp;7</x>"
    sender.socket.sendall(f"<message to='{receiver.name}'>{inside}</message>".encode())
    got = etree.fromstring(receiver.read("</message>"))[0]
finally:
    server.kill()
    server.wait()
sent = etree.fromstring(inside)
print(f"sent: {sent.get('a')!r}, {sent.text!r}")
print(f"came: {got.get('a')!r}, {got.text!r}")
same = sent.get("a") == '1\n2\t3<"' and sent.text == "4\r5\r\n6&7"
sys.exit(0 if same and got.get("a") == '1 2 3<"' and got.text == "4\n5\n6&7" else 1)
PROGRAM

timeout --signal=INT 60 python3 "$folder/program.py" "$folder"
