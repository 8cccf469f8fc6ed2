#!/usr/bin/env bash
# spamc: a mail whose score is below 0 has no result.
#
# Versions:  the npm package `spamc`, 0.0.5, on any Node.
# Expected:  spamd answers "Spam: False ; -2.3 / 5.0" for a good mail: known senders, and what
#            is learned as good, count negative. `check` says `isSpam: false`, and the score.
# Seen:      the sign is not provided for, so the line is passed over: for each mail below 0
#            `isSpam` and `spamScore` are undefined. There is no error, and the code says 0, EX_OK.
#            `if (result.isSpam)` works by chance; `isSpam === false`, and each comparison of the
#            score, do not hold: what is surely good is put with what was not checked. Spam, and
#            mails of 0 or a little more, are right, so a first test finds nothing.
# Here:      a client of spamd on sluice reads the line with the sign.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  spamc@0.0.5 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const Spamc = require('spamc')

let score
const server = net.createServer(socket => {
  let request = ''
  socket.setEncoding('latin1').on('data', data => {
    request += data
    const size = Number(/Content-length: (\d+)/.exec(request)?.[1])
    const start = request.indexOf('\r\n\r\n') + 4
    if (start < 4 || request.length < start + size) return
    const verdict = score >= 5 ? 'True' : 'False'
    socket.end(`SPAMD/1.1 0 EX_OK\r\nSpam: ${verdict} ; ${score.toFixed(1)} / 5.0\r\n\r\n`)
  })
})

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = new Spamc('127.0.0.1', server.address().port, 20)
  let same = true
  for (score of [6.5, 0.1, -0.1, -2.3]) {
    const result = await new Promise((resolve, reject) =>
      client.check('Subject: x\r\n\r\nx\r\n', (error, answer) =>
        error ? reject(error) : resolve(answer),
      ),
    )
    const { responseCode, isSpam, spamScore } = result
    console.log(`score ${score}: code ${responseCode}, isSpam ${isSpam}, spamScore ${spamScore}`)
    same &&= responseCode === 0
    if (score < 0) same &&= isSpam === undefined && spamScore === undefined
    else same &&= isSpam === score >= 5 && spamScore === score
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
