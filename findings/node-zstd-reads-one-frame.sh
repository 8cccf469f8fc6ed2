#!/usr/bin/env bash
# node:zlib: of Zstandard in several frames Node 22 and 24 read the first one; Node 22 takes half a
# frame for a whole one.
#
# Versions:  the npm package `node`, 22.23.3, 24.21.0 and 26.10.0, on Linux.
# Expected:  as with gzip: frames one behind another are one text (RFC 8878, section 3), as in a
#            file that is appended to. Data that end in the middle are an error ("unexpected end of
#            file").
# Seen:      Node 22 and 24 give the text of the first frame and say that all is well, in one call
#            and as a stream; Node 26 reads all of them. With Node 22, a connection that broke in
#            the middle of the frame is the end of a good file: `pipeline` resolves with what has
#            come, zstdDecompressSync returns it. So a log of appended frames, or a download, loses
#            its end without an error, on some of the Nodes. (Node calls Zstandard experimental.)
# Here:      who sends Zstandard over a Stream counts the bytes of the text, or sends one frame a
#            message with its length.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs 370 MB of disk for a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/program.mjs" <<'PROGRAM'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'

const text = Array.from({ length: 60_000 }, (_, i) => `line ${(i * 7919) % 10_007}\n`).join('')
const formats = [
  [zlib.gzipSync, zlib.gunzipSync, zlib.createGunzip],
  [zlib.zstdCompressSync, zlib.zstdDecompressSync, zlib.createZstdDecompress],
]

/** How many times the whole text comes out, in one call and by a stream; or the error. */
async function read(data, all, stream) {
  const times = ({ length }) => (length / text.length).toFixed(1)
  let once
  try {
    once = times(all(data))
  } catch ({ code }) {
    once = code
  }
  const chunks = [data.subarray(0, 1000), data.subarray(1000)]
  const piped = await pipeline(Readable.from(chunks), stream(), buffer).then(times, e => e.code)
  return once === piped ? once : `${once}/${piped}`
}

const seen = []
for (const [pack, all, stream] of formats) {
  const frame = pack(text)
  seen.push(await read(Buffer.concat([frame, frame]), all, stream))
  seen.push(await read(frame.subarray(0, -1), all, stream))
}
console.log(process.version, 'gzip: two, cut; zstd: two, cut:', seen.join(', '))
process.exit(String(seen) === process.argv[2] ? 0 : 1)
PROGRAM

gzip=2.0,Z_BUF_ERROR
for run in "22.23.3 1.0,0.9" "24.21.0 1.0,Z_BUF_ERROR" "26.10.0 2.0,Z_BUF_ERROR"; do
  read -r version zstd <<<"$run"
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder/$version" "node@$version"
  node=$folder/$version/node_modules/node/bin/node
  timeout 60 "$node" "$folder/program.mjs" "$gzip,$zstd"
done
