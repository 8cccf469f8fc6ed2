#!/usr/bin/env bash
# ldapts, ldapjs 2: who is looked for as (cn=M\c3\bcller) is not found; they ask for "MÃ¼ller".
#
# Versions:  the npm packages `ldapts`, 9.2.0, and `ldapjs`, 2.3.3, on any Node.
# Expected:  in a filter, a backslash and two digits are a byte of the value, which is UTF-8 (RFC
#            4515, 3 and 4, with the example "\c4\8d" for one letter). So (cn=M\c3\bcller) and
#            (cn=Müller) are the same filter, and the same bytes are sent.
# Seen:      each byte is taken for a character, and written as one: ü goes out as c3 83 c2 bc, four
#            bytes, which no entry has. The search succeeds, with nothing found. With the letter
#            itself it is right, and with escapes of ASCII, such as \2a for an asterisk, too. So a
#            filter that somebody has typed works, and the one that a library has made of the same
#            name, as some do with all that is not ASCII, does not.
# Here:      nothing of sluice has escapes of bytes in a text.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  ldapts@9.2.0 ldapjs@2.3.3 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const ldapjs = require('ldapjs')
const { Client } = require('ldapts')

/** Of a search request, what follows the attribute cn: its length, and the value. */
let value
const server = net.createServer(socket =>
  socket.on('data', data => {
    const start = data.indexOf('cn')
    if (start < 0) return
    const [, , , length] = data.subarray(start)
    value = data.toString('hex', start + 4, start + 4 + length)
    const found = [0x65, 7, 10, 1, 0, 4, 0, 4, 0]
    socket.write(Buffer.from([0x30, 3 + found.length, 2, 1, data[4], ...found]))
  }),
)

const search = {
  async ldapts(url, filter) {
    const client = new Client({ url })
    await client.search('dc=example', { filter })
    await client.unbind()
  },
  async ldapjs(url, filter) {
    const client = ldapjs.createClient({ url })
    await new Promise((resolve, reject) =>
      client.search('dc=example', { filter, scope: 'sub' }, (error, response) =>
        error ? reject(error) : response.on('end', resolve).on('error', reject).resume?.(),
      ),
    )
    client.destroy()
  },
}

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `ldap://127.0.0.1:${server.address().port}`
  let same = true
  for (const [filter, expected] of [
    ['(cn=Müller)', 'Müller'],
    ['(cn=M\\c3\\bcller)', 'MÃ¼ller'],
    ['(cn=\\c4\\8d)', 'Ä\x8d'],
    ['(cn=a\\2ab)', 'a*b'],
  ])
    for (const [name, ask] of Object.entries(search)) {
      await ask(url, filter)
      console.log(`${name}, ${filter}: ${value}`)
      same &&= value === Buffer.from(expected).toString('hex')
    }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
