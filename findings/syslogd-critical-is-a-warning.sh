#!/usr/bin/env bash
# syslogd: the critical error of a login is a warning of the mail system.
#
# Versions:  the npm package `syslogd`, 1.1.2, on any Node.
# Expected:  the number in front, "<34>", is eight times the facility (4, security) and the severity
#            (2, critical): RFC 5424, 6.2.1 and its first example. The package exports a table of
#            severities, in which 2 is CRITICAL.
# Seen:      the two have each other's name: `facility` 2, which is mail, and `severity` 4, which is
#            WARNING in its own table. An alarm "severity <= 3" hears of what the users, the mail
#            and the daemons say, however small, and never of security, cron or a local program. A
#            message of the kernel has the severity NaN, for which no comparison holds. Its own page
#            shows "severity: 22", which there is not, as if it were so.
# Here:      a field of bits has its name beside its width, in the order of the bits.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  syslogd@1.1.2 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const Syslogd = require('syslogd')

/** A port that was free a moment ago: `syslogd` takes a number, and not 0. */
async function freePort() {
  const socket = dgram.createSocket('udp4').bind(0)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

async function main() {
  const port = await freePort()
  const received = []
  let arrived
  const service = Syslogd(info => {
    received.push(info)
    arrived()
  })
  await new Promise((resolve, reject) =>
    service.listen(port, error => (error ? reject(error) : resolve())),
  )
  const client = dgram.createSocket('udp4')
  const level = Object.keys(Syslogd.Severity)
  let same = level[2] === 'CRITICAL' && level[4] === 'WARNING'
  for (const [facility, severity] of [
    [4, 2],
    [0, 6],
    [16, 3],
  ]) {
    const line = `<${facility * 8 + severity}>Oct 11 22:14:15 host su: it failed`
    const arrival = new Promise(resolve => (arrived = resolve))
    client.send(line, port, '127.0.0.1')
    await arrival
    const seen = received.at(-1)
    console.log(`${line.slice(0, 6)}… facility ${facility}, severity ${severity}:`)
    console.log(`  seen as facility ${seen.facility}, severity ${seen.severity}`)
    same &&= seen.facility === severity
    same &&= Object.is(seen.severity, facility === 0 ? NaN : facility)
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
