#!/usr/bin/env bash
# erlang_js: of a number beyond 32 bits the lower 32 are written.
#
# Versions:  the npm package `erlang_js`, 2.0.7, on any Node.
# Expected:  Erlang's external format has whole numbers of any size, and `term_to_binary` writes the
#            number that it is given, at least up to 53 bits. `binary_to_term` reads them so.
# Seen:      2**31 is right. From 2**32 on, and below -(2**32), the rest of the division by 2**32 is
#            written, with the sign: 2**40 is 0, and `Date.now()` of November 2026 is a moment of
#            January 1970. There is no error, and the bytes are a valid number, so a program in
#            Erlang takes it. What Erlang has written is read rightly, and a float, so a test in one
#            direction, or with small numbers, finds nothing.
# Here:      a Struct refuses a number that its field cannot hold (ERR_STRUCT).
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  erlang_js@2.0.7 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { promisify } = require('node:util')
const { Erlang } = require('erlang_js')

const read = promisify((bytes, done) => Erlang.binary_to_term(bytes, done))
const write = promisify((term, done) => Erlang.term_to_binary(term, done))

/** A number of up to 8 bytes as Erlang writes it: SMALL_BIG_EXT, size, sign, little-endian. */
function ofErlang(value) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(Math.abs(value)))
  const size = Math.ceil(BigInt(Math.abs(value)).toString(16).length / 2)
  return Buffer.concat([Buffer.from([131, 110, size, +(value < 0)]), bytes.subarray(0, size)])
}

async function main() {
  let same = true
  for (const [value, expected] of [
    [2 ** 31, 2 ** 31],
    [2 ** 32 - 1, 2 ** 32 - 1],
    [2 ** 32 + 5, 5],
    [2 ** 40, 0],
    [Date.UTC(2026, 10, 28), Date.UTC(2026, 10, 28) % 2 ** 32],
    [-(2 ** 33) - 7, -7],
  ]) {
    const written = await read(await write(value))
    const right = await read(ofErlang(value))
    console.log(`${value}: written as ${written}, and read as ${right}`)
    // 2**40 and its negative leave a zero, with either sign.
    same &&= written + 0 === expected && right === value
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
