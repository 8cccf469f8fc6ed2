#!/usr/bin/env bash
# @hyrious/marshal: minus 20 million is minus 1.
#
# Versions:  the npm package `@hyrious/marshal`, 0.3.4, on any Node.
# Expected:  in Ruby's Marshal, which DRb speaks, a whole number of up to 31 bits is "i", the count
#            of its bytes (negative for a negative number), and so many bytes. `load` reads what
#            Ruby's, and its own, `dump` writes.
# Seen:      with four bytes, a negative number is -1: each from -16,777,217 to -1,073,741,824.
#            Those of one to three bytes, larger ones, which have another form, and all that are
#            positive are right. What stands behind is read from its place, so nothing fails.
# Here:      a Struct says of each number its size and whether it has a sign.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  @hyrious/marshal@0.3.4 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { dump, load } = require('@hyrious/marshal')

/** [balance, 7] as Ruby writes it. */
const array = balance => Buffer.from(`04085b07${balance}690c`, 'hex')

let same = true
for (const [value, bytes, expected] of [
  [20_000_000, '6904002d3101', 20_000_000],
  [-70_000, '69fd90eefe', -70_000],
  [-16_777_216, '69fd000000', -16_777_216],
  [-16_777_217, '69fcfffffffe', -1],
  [-20_000_000, '69fc00d3cefe', -1],
  [-1_073_741_824, '69fc000000c0', -1],
  [-1_073_741_825, '6c2d0701000040', -1_073_741_825],
]) {
  const [read, behind] = load(array(bytes))
  const own = load(dump(value))
  console.log(`${value}: of Ruby ${read}, of its own dump ${own}`)
  same &&= read === expected && own === expected && behind === 7
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
