#!/usr/bin/env bash
# bencode: a torrent of version 2 that is read and written again names pieces that nobody has.
#
# Versions:  the npm package `bencode`, 4.0.1, on any Node.
# Expected:  a string of bencoding is a string of bytes, the key of a dictionary too. Values are
#            read as bytes, unless an encoding is given; what is read and written again is the same.
#            In a torrent of version 2 (BEP 52) the keys of "piece layers" are hashes of 32 bytes.
# Seen:      a key that is not UTF-8 becomes its digits in hexadecimal, which are written as such:
#            64 bytes instead of 32. Somebody who reads a torrent, adds a tracker, and writes it has
#            a valid file, whose layers belong to no file of it. A hash that happens to be UTF-8 is
#            left as it is, so no rule gives the keys back: one of 64 digits may have been either.
#            A torrent of version 1 has no such key, and is the same afterwards.
# Here:      a key is bytes or text by what the format says, never by what the bytes look like.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  bencode@4.0.1 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { createHash } from 'node:crypto'
import bencode from 'bencode'

const sha256 = text => createHash('sha256').update(text).digest()
const bytes = value => Buffer.concat([Buffer.from(`${value.length}:`), value])

/** A torrent of one file, whose pieces have this root, with the layer of it. */
const torrent = root =>
  Buffer.concat([
    ...['d', '4:info', 'd', '9:file tree', 'd', '5:a.bin', 'd', '0:', 'd'].map(Buffer.from),
    Buffer.from('6:lengthi65536e11:pieces root'),
    bytes(root),
    Buffer.from('eee'),
    Buffer.from('12:meta versioni2e4:name5:a.bin12:piece lengthi32768ee'),
    Buffer.from('12:piece layersd'),
    bytes(root),
    bytes(Buffer.concat([sha256('first'), sha256('second')])),
    Buffer.from('ee'),
  ])

let same = true
for (const [name, root] of [
  ['a hash', sha256('root')],
  ['a hash that is UTF-8', Buffer.from('0123456789abcdef0123456789abcdef')],
]) {
  const before = torrent(root)
  const read = bencode.decode(before)
  const after = Buffer.from(bencode.encode(read))
  const inFile = Buffer.from(read.info['file tree']['a.bin']['']['pieces root']).toString('latin1')
  const [layer] = Object.keys(read['piece layers'])
  const unchanged = before.equals(after)
  console.log(`${name}: layer of ${layer.length} characters, ${before.length} bytes,`)
  console.log(`  then ${after.length}; its file is found: ${layer === inFile}`)
  const utf8 = name !== 'a hash'
  same &&= unchanged === utf8 && layer.length === (utf8 ? 32 : 64)
  same &&= after.length === before.length + (utf8 ? 0 : 32) && (layer === inFile) === utf8
}
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
