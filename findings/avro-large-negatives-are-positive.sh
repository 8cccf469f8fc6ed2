#!/usr/bin/env bash
# avsc, avro-js: a negative number beyond -(2**52) arrives as a positive one.
#
# Versions:  the npm packages `avsc`, 5.7.9, and `avro-js`, 1.12.2, with `underscore`, 1.13.7, which
#            it needs, on any Node; python3-avro 1.11.1+dfsg-2 of Debian 12 (bookworm).
# Expected:  a `long` of Avro is exact from -(2**53) to 2**53, without the ends: beyond that the
#            packages refuse it ("potential precision loss").
# Seen:      it is so with positive numbers. In the negative half of that range the sign is lost:
#            -4,600,000,000,000,000 is written as 4,600,000,000,000,000, and what Python has written
#            rightly is read so as well. There is no error. (The number is doubled and 1 is taken
#            from it, which a float cannot hold any more; the last bit is the sign.) A test with
#            small numbers, and one with the limits of the package, which it refuses, find nothing.
# Here:      `int` of a Struct with eight bytes is a bigint.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, python3.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  avsc@5.7.9 avro-js@1.12.2 underscore@1.13.7 >/dev/null

(
  cd "$folder"
  apt-get download -qq python3-avro=1.11.1+dfsg-2
  dpkg -x python3-avro_*.deb .
)

cat >"$folder/avro_long.py" <<'PROGRAM'
import io, sys
from avro.io import BinaryDecoder, BinaryEncoder

if sys.argv[1] == "write":
    data = io.BytesIO()
    BinaryEncoder(data).write_long(int(sys.argv[2]))
    print(data.getvalue().hex())
else:
    print(BinaryDecoder(io.BytesIO(bytes.fromhex(sys.argv[2]))).read_long())
PROGRAM

cat >"$folder/program.cjs" <<'PROGRAM'
const { execFileSync } = require('node:child_process')
const avroJs = require('avro-js')
const avsc = require('avsc')

const types = { avsc: avsc.Type.forSchema('long'), 'avro-js': avroJs.parse('"long"') }
const python = (...parts) =>
  execFileSync('python3', ['avro_long.py', ...parts])
    .toString()
    .trim()

let same = true
for (const [value, expected] of [
  [2 ** 53 - 2, 2 ** 53 - 2],
  [-(2 ** 52), -(2 ** 52)],
  [-(2 ** 52) - 2, 2 ** 52 + 2],
  [-4_600_000_000_000_000, 4_600_000_000_000_000],
  [-9_000_000_000_000_000, 9_000_000_000_000_000],
])
  for (const [name, type] of Object.entries(types)) {
    const read = type.fromBuffer(Buffer.from(python('write', `${value}`), 'hex'))
    const written = +python('read', type.toBuffer(value).toString('hex'))
    console.log(`${value}: ${name} reads ${read} of Python, which reads ${written} of it`)
    same &&= read === expected && written === expected
  }
process.exit(same ? 0 : 1)
PROGRAM

export PYTHONPATH="$folder/usr/lib/python3/dist-packages"
cd "$folder" && timeout 60 node program.cjs
