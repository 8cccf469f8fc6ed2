#!/usr/bin/env bash
# jpickle, pickleparser: a whole number that needs more than 32 bits is 0, or another one.
#
# Versions:  the npm packages `jpickle`, 0.4.1, and `pickleparser`, 0.2.1, on any Node; the module
#            pickle of any Python 3.
# Expected:  a whole number arrives as it was, at least up to 53 bits: Graphite takes its points as
#            a pickle of [(path, (time, value))], and a counter of bytes is beyond 32 bits soon.
# Seen:      in the binary protocol 2, jpickle reads 5,000,000,000 as 0, and so any other that does
#            not fit into 32 bits with a sign. pickleparser reads it rightly, but a negative one of
#            five or six bytes without its sign: -3,000,000,000 is 1,096,511,627,776. Neither has
#            an error, and what stands beside is right. Small numbers, and all of them in the older
#            protocol 1, are right in both, so a first test finds nothing.
# Here:      nothing of sluice leaves out a sign: a Struct knows the size of each number.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs python3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  jpickle@0.4.1 pickleparser@0.2.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { execFileSync } = require('node:child_process')
const jpickle = require('jpickle')
const { Parser } = require('pickleparser')

/** A point as a carbon relay sends it. */
function pickled(value, protocol) {
  const point = `[("bytes", (1700000000, ${value}))]`
  const program = `import pickle; print(pickle.dumps(${point}, ${protocol}).hex())`
  return Buffer.from(execFileSync('python3', ['-c', program]).toString().trim(), 'hex')
}

let same = true
for (const [value, protocol, ofJpickle, ofPickleparser] of [
  [2 ** 31 - 1, 2, 2 ** 31 - 1, 2 ** 31 - 1],
  [-(2 ** 31), 2, -(2 ** 31), -(2 ** 31)],
  [5e9, 2, 0, 5e9],
  [-3e9, 2, 0, 2 ** 40 - 3e9],
  [-(2 ** 44), 2, 0, 2 ** 48 - 2 ** 44],
  [5e9, 1, 5e9, 5e9],
  [-3e9, 1, -3e9, -3e9],
]) {
  const bytes = pickled(value, protocol)
  const seen = [jpickle.loads(bytes.toString('latin1')), new Parser().parse(bytes)]
  const texts = seen.map(([[path, [time, number]]]) => [path, time, number].join(' '))
  console.log(`protocol ${protocol}, ${value}: jpickle ${texts[0]}, pickleparser ${texts[1]}`)
  const expected = [ofJpickle, ofPickleparser].map(number => `bytes 1700000000 ${number}`)
  same &&= texts.join() === expected.join()
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
