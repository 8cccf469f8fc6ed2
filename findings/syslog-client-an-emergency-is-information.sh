#!/usr/bin/env bash
# syslog-client: a client whose severity is Emergency sends information, and one speaks as another.
#
# Versions:  the npm package `syslog-client`, 1.1.1, on any Node.
# Expected:  `facility` and `severity` of a client are those of its messages, unless one says
#            otherwise; both tables begin with 0, Kernel and Emergency. The options of a message are
#            for that message.
# Seen:      0 is taken for nothing: the client of the kernel's emergencies sends <134>, information
#            of local0, so whoever waits for emergencies hears none. Said with each message it is
#            right. What a message does not say is written into the object of its options: if two
#            clients use the same one, say `{ severity: Severity.Error }` at the top of a file, the
#            second sends with the facility and the host name of the first.
# Here:      0 is a number as any other, and what is passed in is only read.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  syslog-client@1.1.1 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const { createClient, Facility, Severity } = require('syslog-client')

async function main() {
  const server = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  const client = options => createClient('127.0.0.1', { port: server.address().port, ...options })
  /** The number and the host of a message, as they are sent. */
  async function sent(sender, ...options) {
    const arrival = once(server, 'message')
    sender.log('text', ...options)
    const [message] = await arrival
    const [, number, host] = /^<(\d+)>.{15} (\S+) text/.exec(message)
    return `${number} of ${host}`
  }
  const kernel = { facility: Facility.Kernel, severity: Severity.Emergency }
  const mail = { facility: Facility.User, severity: Severity.Alert }
  const results = {
    'user, alert': await sent(client({ syslogHostname: 'a', ...mail })),
    'kernel, emergency': await sent(client({ syslogHostname: 'a', ...kernel })),
    'the same with the message': await sent(client({ syslogHostname: 'a' }), { ...kernel }),
  }
  const first = client({ syslogHostname: 'first', facility: Facility.Local1 })
  const second = client({ syslogHostname: 'second', facility: Facility.Local2 })
  const shared = { severity: Severity.Error }
  results['first, local1, error'] = await sent(first, shared)
  results['second, local2, error'] = await sent(second, shared)
  for (const [name, result] of Object.entries(results)) console.log(`${name}: ${result}`)
  const expected = [
    Facility.User * 8 + Severity.Alert + ' of a',
    Facility.Local0 * 8 + Severity.Informational + ' of a',
    '0 of a',
    Facility.Local1 * 8 + Severity.Error + ' of first',
    Facility.Local1 * 8 + Severity.Error + ' of first',
  ]
  process.exit(Object.values(results).join() === expected.join() ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
