#!/usr/bin/env bash
# tiny-hl7: "Smith | Sons" behind a field with components becomes two fields.
#
# Versions:  the npm package `tiny-hl7`, 1.0.7, on any Node.
# Expected:  in a value of HL7 "|" is written as \F\, "^" as \S\ and "&" as \T\. `parse` gives the
#            values as they are meant, and `serialize` writes them so that the next one reads the
#            same.
# Seen:      once a segment has had a field with components, as each result has (3, what was
#            measured) and each patient (5, the name), nothing behind it is escaped. A "|" in a
#            comment moves all fields that follow: a half of it is the unit, the unit is the range
#            of reference, the range the flag. What is read and written again is another message. In
#            a segment of plain fields, and in front of the first one with components, it is right,
#            so a test with a line or two finds nothing.
# Here:      a codec escapes each value by itself, whatever came before it.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  tiny-hl7@1.0.7 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const hl7 = require('tiny-hl7')

const HEADER = 'MSH|^~\\&|LAB|A|APP|B|20261128||ORU^R01|1|P|2.3'

/** Value, unit and range of a result before and after it is read and written. */
function results(observation) {
  const message = [HEADER, `OBX|1|ST|${observation}||a \\F\\ b \\T\\ c|mmol/l|3-5`].join('\r')
  const values = text => {
    const [, result] = hl7.parse(text)
    return ['OBX.5', 'OBX.6', 'OBX.7'].map(name => result[name])
  }
  return [values(message), values(hl7.serialize(hl7.parse(message)))]
}

let same = true
for (const [name, observation] of [
  ['a plain field before it', 'K'],
  ['a field with components', 'K^Potassium'],
]) {
  const [before, after] = results(observation)
  console.log(`${name}: ${before.join(', ')}`)
  console.log(`  read and written: ${after.join(', ')}`)
  same &&= before.join() === 'a | b & c,mmol/l,3-5'
  const moved = ['a ', ' b & c', 'mmol/l']
  same &&= after.join() === (observation === 'K' ? before : moved).join()
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
