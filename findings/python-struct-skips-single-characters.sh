#!/usr/bin/env bash
# python-struct: an `s` without a number takes no byte, and a code that it does not know neither.
#
# Versions:  the npm package `python-struct`, 1.1.3, on any Node; any python3 from 3.6 on.
# Expected:  "binary data according to Python's format": `s` alone is `1s`, so `<ssH` is two
#            characters and a number, four bytes; `e` is a half float of two bytes. What it does not
#            know throws.
# Seen:      `<ssH` of a, b, 7 is 07 00: the characters are left out, in silence, and unpacking
#            reads the number from where they stand ("ab" is 25185). `e` is left out as well: of
#            `<eH` and 1.5, 7 the H takes the 1.5, and 01 00 is all. `2s` is right, and `c` is; so a
#            test with a name of several characters finds nothing. `sizeOf` gives the wrong size.
# Here:      in a `Struct`, a count that is left out is 1, and `e` is refused.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  python-struct@1.1.3 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { execFileSync } = require('node:child_process')
const struct = require('python-struct')

const formats = [
  ['<ccH', ['a', 'b', 7]],
  ['<2sH', ['ab', 7]],
  ['<ssH', ['a', 'b', 7]],
  ['<eH', [1.5, 7]],
]
const code = `
import json, struct, sys
for form, values in json.load(sys.stdin):
    values = [v.encode() if isinstance(v, str) else v for v in values]
    print(struct.pack(form, *values).hex())
`
const python = execFileSync('python3', ['-c', code], { input: JSON.stringify(formats) })
const bytes = String(python).trim().split('\n')
const seen = formats.map(([format, values], index) => {
  const packed = struct.pack(format, ...values).toString('hex')
  const read = struct.unpack(format, Buffer.from(bytes[index], 'hex')).join()
  const size = struct.sizeOf(format)
  console.log(format, { python: bytes[index], packed, size, read })
  return [bytes[index], packed, size, read].join(' ')
})
const expected = [
  '61620700 61620700 4 a,b,7',
  '61620700 61620700 4 ab,7',
  '61620700 0700 2 ,,25185',
  '003e0700 0100 2 15872',
]
process.exit(seen.join('|') === expected.join('|') ? 0 : 1)
PROGRAM

cd "$folder" && timeout 30 node program.cjs
