#!/usr/bin/env bash
# V8 of Node 22.23.3 and newer (npm package `node`), Linux: an object becomes a dictionary when its
# last property is deleted.
#
# Expected: deleting the property that was added last undoes the addition, so the object stays as
# fast and as small as it was before it. V8 did so on purpose, and it is what a library can do about
# class fields that stand in front of an accessor of its own.
# Seen: so it is up to Node 20.20.2 (V8 11.3). In Node 22 (12.4), 24 (13.6) and 26 (14.6) the object
# is a dictionary from then on: each property of it takes 24 bytes in a table with free places, and
# is looked up there at each use.
#
# Exit code 0: as seen. 1: it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/program.cjs" <<'PROGRAM'
class Base {
  constructor() {
    this.first = 1
  }
}
class Derived extends Base {
  last = 2
}
const object = new Derived()
delete object.last
console.log(%HasFastProperties(object) ? 'fast' : 'dictionary')
PROGRAM
code=0
for row in 20.20.2:fast 22.23.3:dictionary 24.21.0:dictionary 26.10.0:dictionary; do
  version=${row%%:*} seen=${row#*:}
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  found=$("$folder/$version/node_modules/node/bin/node" --allow-natives-syntax "$folder/program.cjs")
  echo "Node $version: $found"
  [ "$found" = "$seen" ] || code=1
done
exit "$code"
