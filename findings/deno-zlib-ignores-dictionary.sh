#!/usr/bin/env bash
# Deno: `node:zlib` passes over the option `dictionary`, in both directions, without an error.
#
# Versions:  the npm packages `deno`, 2.9.6, and `node`, 22.23.3, on Linux.
# Expected:  data that was compressed with a dictionary in Node is read in Deno with the same one,
#            and what Deno compresses with it is as small.
# Seen:      inflateRaw says "invalid distance too far back", synchronous or as a stream; deflateRaw
#            makes what it makes without the option. What refers to nothing in the dictionary is
#            read well, so a test with one short message finds nothing.
# Here:      permessage-deflate with memory can be read with the last 32 KiB as the dictionary of
#            each message. On Deno, src/protocols/websocket/deflate puts them in front as a stored
#            block.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 250 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" \
  deno@2.9.6 node@22.23.3 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { deflateRawSync, inflateRawSync } from 'node:zlib'

const dictionary = Buffer.from('hello world')
const made = deflateRawSync('hello world hello', { dictionary }).toString('hex')
let read
try {
  read = String(inflateRawSync(Buffer.from('cb403015c06c00', 'hex'), { dictionary }))
} catch ({ code }) {
  read = code
}
console.log(made, read)
PROGRAM

cd "$folder"
node=$(timeout 60 node_modules/node/bin/node program.mjs)
deno=$(timeout 60 node_modules/deno/deno run --no-lock program.mjs)
echo "Node: $node"
echo "Deno: $deno"
[ "$node" = 'cb403015c06c00 hello world hello' ] && [[ $deno == *' Z_DATA_ERROR' ]]
