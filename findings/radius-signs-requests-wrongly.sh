#!/usr/bin/env bash
# radius: a request of accounting or CoA with a Message-Authenticator is refused by everybody.
#
# Versions:  the npm package `radius`, 1.1.4, on any Node; python3-pyrad 2.1-3, python3-netaddr
#            0.8.0-2, python3-six 1.16.0-4 of Debian 12 (bookworm), amd64.
# Expected:  `encode({ code: 'CoA-Request', add_message_authenticator: true })` makes a packet that
#            its own `decode`, and others, accept. In requests whose authenticator is a checksum
#            (CoA, Disconnect, Accounting) the Message-Authenticator is computed first, over zeros,
#            and the checksum then, over all (RFC 5176, 3.4).
# Seen:      it computes the checksum first, and the Message-Authenticator over it. So pyrad finds
#            the authenticator wrong, and `decode` of the package itself as well: "possible shared
#            secret mismatch". The other way round it refuses what is right, with the same words. So
#            one looks for a typing error in the secret. Access-Request and Status-Server, and all
#            requests without the attribute, are well.
# Here:      nothing of sluice signs; a checksum of a format is computed over the bytes as sent.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  radius@1.1.4 >/dev/null

(
  cd "$folder"
  apt-get download -qq python3-pyrad=2.1-3 python3-netaddr=0.8.0-2 python3-six=1.16.0-4
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.cjs" <<'PROGRAM'
const radius = require('radius')

const [, , action, code, input] = process.argv
if (action === 'accepts') {
  try {
    const packet = Buffer.from(input, 'hex')
    radius.decode({ packet, secret: 'secret' })
    console.log('accepts')
  } catch (error) {
    console.log(/secret mismatch/.test(error.message) ? 'refuses' : error.message)
  }
} else {
  const attributes = [['User-Name', 'joe']]
  const add_message_authenticator = action === 'signed'
  const options = { code, secret: 'secret', identifier: 1, attributes, add_message_authenticator }
  console.log(radius.encode(options).toString('hex'))
}
PROGRAM

cat >"$folder/program.py" <<'PROGRAM'
import hashlib, hmac, io, struct, subprocess, sys
from pyrad import dictionary, packet

words = "ATTRIBUTE User-Name 1 string\nATTRIBUTE Message-Authenticator 80 octets\n"
dictionary = dictionary.Dictionary(io.StringIO(words))
SECRET = b"secret"


def node(*parts):
    command = ["node", "program.cjs", *parts]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def pyrad(kind, raw):
    if kind == "Accounting-Request":
        right = packet.AcctPacket(packet=raw, secret=SECRET, dict=dictionary).VerifyAcctRequest()
    else:
        right = packet.CoAPacket(packet=raw, secret=SECRET, dict=dictionary).VerifyCoARequest()
    return "accepts" if right else "refuses"


def by_the_rfc(code):
    """First the Message-Authenticator, with zeros for both, then the checksum over all."""
    attributes = b"\x01\x05joe" + b"\x50\x12"
    head = struct.pack(">BBH", code, 1, 20 + len(attributes) + 16)
    mac = hmac.new(SECRET, head + bytes(16) + attributes + bytes(16), "md5").digest()
    body = attributes + mac
    return head + hashlib.md5(head + bytes(16) + body + SECRET).digest() + body


same = True
for kind, code in (("Accounting-Request", 4), ("Disconnect-Request", 40), ("CoA-Request", 43)):
    packets = {
        "radius, without": bytes.fromhex(node("plain", kind)),
        "radius, with": bytes.fromhex(node("signed", kind)),
        "RFC, with": by_the_rfc(code),
    }
    expected = ["accepts accepts", "refuses refuses", "accepts refuses"]
    for (name, raw), verdicts in zip(packets.items(), expected):
        seen = f"{pyrad(kind, raw)} {node('accepts', kind, raw.hex())}"
        print(f"{kind}, {name} Message-Authenticator: pyrad, radius: {seen}")
        same = same and seen == verdicts
sys.exit(0 if same else 1)
PROGRAM

cd "$folder"
export PYTHONPATH="$folder/usr/lib/python3/dist-packages" NODE_NO_WARNINGS=1
timeout 60 python3 program.py
