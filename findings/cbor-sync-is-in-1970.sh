#!/usr/bin/env bash
# cbor-sync, borc: a time of another library is in January 1970, or has lost its milliseconds.
#
# Versions:  the npm packages `cbor-sync`, 1.0.4, `borc`, 3.0.0, and `cbor`, 10.0.12, on any Node;
#            python3-cbor2 5.4.6-1+b1 of Debian 12 (bookworm), amd64.
# Expected:  the tag 1 of CBOR is a time in seconds since 1970, as a whole number or a float (RFC
#            8949, 3.4.2). A `Date` arrives as the moment that it is, whoever wrote it.
# Seen:      cbor-sync takes the number for milliseconds: what cbor, borc or Python's cbor2 wrote
#            in 2026 is read as 21 January 1970, without an error. It writes dates as text (tag 0)
#            itself, which all read rightly, so between two programs that use it nothing shows. And
#            borc writes whole seconds: of two events 300 ms apart the later one may come out as the
#            earlier one's time, with its own reader, too. The others keep the fraction.
# Here:      an envelope carries the bytes that its codec made. Who lets both ends choose their
#            library sends a time as a number, and says of what.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  cbor-sync@1.0.4 borc@3.0.0 cbor@10.0.12 >/dev/null

(
  cd "$folder"
  apt-get download -qq python3-cbor2=5.4.6-1+b1
  dpkg -x python3-cbor2_*.deb .
)

cat >"$folder/cbor2.py" <<'PROGRAM'
import sys

sys.path.pop(0)
import cbor2, datetime

zone = datetime.timezone.utc
if sys.argv[1] == "write":
    date = datetime.datetime.fromisoformat(sys.argv[2].replace("Z", "+00:00"))
    print(cbor2.dumps(date, datetime_as_timestamp=True).hex())
else:
    date = cbor2.loads(bytes.fromhex(sys.argv[2])).astimezone(zone)
    print(date.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
PROGRAM

cat >"$folder/program.cjs" <<'PROGRAM'
const { execFileSync } = require('node:child_process')
const borc = require('borc')
const cbor = require('cbor')
const cborSync = require('cbor-sync')

const python = (...parts) => execFileSync('python3', ['cbor2.py', ...parts]).toString().trim()
const libraries = {
  'cbor-sync': {
    write: text => cborSync.encode(new Date(text)),
    read: bytes => cborSync.decode(bytes).toISOString(),
  },
  borc: {
    write: text => borc.encode(new Date(text)),
    read: bytes => borc.decode(bytes).toISOString(),
  },
  cbor: {
    write: text => cbor.encode(new Date(text)),
    read: bytes => cbor.decode(bytes).toISOString(),
  },
  cbor2: {
    write: text => Buffer.from(python('write', text), 'hex'),
    read: bytes => python('read', bytes.toString('hex')),
  },
}

const WRITTEN = '2026-11-28T05:00:00.300Z'
const CUT = '2026-11-28T05:00:00.000Z'
let same = true
for (const writer in libraries) {
  const bytes = libraries[writer].write(WRITTEN)
  for (const reader in libraries) {
    const seen = libraries[reader].read(bytes)
    console.log(`${WRITTEN} from ${writer.padEnd(9)} to ${reader.padEnd(9)}: ${seen}`)
    if (reader === 'cbor-sync' && writer !== reader) same &&= seen.startsWith('1970-01-21T')
    else same &&= seen === (writer === 'borc' ? CUT : WRITTEN)
  }
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder"
export PYTHONPATH="$folder/usr/lib/python3/dist-packages" NODE_NO_WARNINGS=1
timeout 60 node program.cjs
