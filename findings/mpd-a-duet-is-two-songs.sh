#!/usr/bin/env bash
# mpd: a song by two artists is two songs, and the second one has the file of the next.
#
# Versions:  the npm packages `mpd`, 1.3.0, and `mpd2`, 1.0.7, on any Node.
# Expected:  in a list of the music player daemon each song begins with `file:`, and a tag may come
#            more than once (two artists, three genres). A list of three songs is three objects, as
#            mpd2 makes of it when it is told that `file` begins one.
# Seen:      `parseArrayMessage` of mpd begins a new object at each key that it has already. So the
#            duet ends at its second artist; what stands behind that begins an object, and goes on
#            into the file and title of the next song. Of a list of three, with one duet in front,
#            not one is right: there is a song "Solo" by Bob, of the album and with the id of the
#            duet, and who plays it by its id hears the other one. Without such tags all is well, so
#            a first test finds nothing.
# Here:      nothing of sluice guesses where a record ends.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  mpd@1.3.0 mpd2@1.0.7 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const mpd = require('mpd')
const { parseList } = require('mpd2')

const song = (id, file, title, ...artists) =>
  [
    `file: ${file}`,
    `Title: ${title}`,
    ...artists.map(artist => `Artist: ${artist}`),
    `Album: of ${title}`,
    `Id: ${id}`,
  ].join('\n')
const lists = {
  plain: [song(1, 'a.ogg', 'Air', 'Ann'), song(2, 'b.ogg', 'Solo', 'Cy')],
  duet: [
    song(1, 'a.ogg', 'Duet', 'Ann', 'Bob'),
    song(2, 'b.ogg', 'Solo', 'Cy'),
    song(3, 'c.ogg', 'Coda', 'Di'),
  ],
}
let list

const server = net.createServer(socket => {
  socket.write('OK MPD 0.23.5\n')
  socket.on('data', chunk => {
    for (const line of chunk.toString().split('\n').filter(Boolean))
      if (line === 'noidle') socket.write('OK\n')
      else if (line.startsWith('playlistinfo')) socket.write(lists[list].join('\n') + '\nOK\n')
  })
})

const summary = songs =>
  songs
    .map(song => Object.fromEntries(Object.entries(song).map(([k, v]) => [k.toLowerCase(), v])))
    .map(({ id, file, title, artist }) => [id, file, title, [artist].flat().join('+')].join(' '))
    .join(', ')

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = mpd.connect({ host: '127.0.0.1', port: server.address().port })
  await once(client, 'ready')
  let same = true
  for (const [name, right, wrong] of [
    ['plain', '1 a.ogg Air Ann, 2 b.ogg Solo Cy', '1 a.ogg Air Ann, 2 b.ogg Solo Cy'],
    [
      'duet',
      '1 a.ogg Duet Ann+Bob, 2 b.ogg Solo Cy, 3 c.ogg Coda Di',
      ' a.ogg Duet Ann, 1 b.ogg Solo Bob, 2 c.ogg Coda Cy, 3   Di',
    ],
  ]) {
    list = name
    const text = await new Promise(resolve =>
      client.sendCommand(mpd.cmd('playlistinfo', []), (error, text) => resolve(text)),
    )
    const seen = [summary(mpd.parseArrayMessage(text)), summary(parseList.by('file')(text))]
    console.log(`${name}, mpd:  ${seen[0]}`)
    console.log(`${name}, mpd2: ${seen[1]}`)
    same &&= seen[0] === wrong && seen[1] === right
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
