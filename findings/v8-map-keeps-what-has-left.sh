#!/usr/bin/env bash
# V8 of Node 20.20.2, 22.23.3, 24.21.0 and 26.10.0 (npm package `node`), Linux: what has left a Map
# or a Set is not young garbage.
#
# Expected: 20 000 objects, about 21 MB, of which 16 live at a time, cost a collection of the young
# generation nearly nothing, whether they were in an array meanwhile, in a Map or in a Set: each was
# deleted there, and nothing holds it.
# Seen: with the array nothing is left after such collections. With a Map or a Set 6 to 21 MB are,
# and only a full collection frees them. A table that is replaced by a new one, as one is after some
# dozens of additions and deletions, keeps what was in it, and points to the new one. Once one of
# them is in the old generation, so is everything that comes later. So a server with a Set of its
# connections copies each of them, and what belongs to it, into the old generation.
#
# Exit code 0: as seen. 1: it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/program.cjs" <<'PROGRAM'
const OPEN = 16
function keptBy(add, remove) {
  gc()
  const before = process.memoryUsage().heapUsed
  const ring = new Array(OPEN).fill(undefined)
  for (let i = 0; i < 20_000; i++) {
    const oldest = ring[i % OPEN]
    if (oldest !== undefined) remove(oldest)
    const one = { i, load: new Array(128).fill(i) }
    ring[i % OPEN] = one
    add(one)
    if (i % 1000 === 0) gc({ type: 'minor' })
  }
  for (let i = 0; i < 4; i++) gc({ type: 'minor' })
  const kept = process.memoryUsage().heapUsed - before
  gc()
  const left = process.memoryUsage().heapUsed - before
  return [kept, left].map(bytes => Math.round(bytes / 1e6))
}
const map = new Map()
const set = new Set()
const array = keptBy(() => {}, () => {})
const inMap = keptBy(one => map.set(one.i, one), one => map.delete(one.i))
const inSet = keptBy(one => set.add(one), one => set.delete(one))
console.log('MB kept, and after a full collection: array', array, 'Map', inMap, 'Set', inSet)
const isAsSeen = array[0] < 2 && inMap[0] > 3 && inSet[0] > 3 && inMap[1] < 2 && inSet[1] < 2
process.exitCode = isAsSeen ? 0 : 1
PROGRAM
code=0
for version in 20.20.2 22.23.3 24.21.0 26.10.0; do
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  echo "Node $version"
  "$folder/$version/node_modules/node/bin/node" --expose-gc "$folder/program.cjs" || code=1
done
exit "$code"
