#!/usr/bin/env bash
# sip: a proxy asks the registrar to forget a device named "*", and not all devices.
#
# Versions:  the npm package `sip`, 0.0.6, on any Node.
# Expected:  a REGISTER with "Contact: *" and "Expires: 0" takes a person off all devices (RFC 3261,
#            10.2.2); the star stands alone, without brackets. The package knows of it: both its
#            reader and its writer compare with '*'. "e" is short for Content-Encoding.
# Seen:      the reader compares an object, so it never is a star, and reads an address "*". What
#            the proxy sends on is "Contact:  <*>", which is no address: strict registrars refuse
#            it, others find no such device; the phone that was given away goes on ringing. And a
#            body that says "e: gzip" is sent on as "Contact-Encoding", which nobody knows.
# Here:      a value that is not the rule's shape has a type of its own, and is written as it came.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  sip@0.0.6 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const sip = require('sip')

/** The lines of a REGISTER after the package has read it and written it again, as a proxy does. */
function passedOn(...lines) {
  const request = [
    'REGISTER sip:example.com SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK-1',
    'Max-Forwards: 70',
    'To: <sip:bob@example.com>',
    'From: <sip:bob@example.com>;tag=1',
    'Call-ID: 1@192.0.2.9',
    'CSeq: 1 REGISTER',
    'Expires: 0',
    ...lines,
    'Content-Length: 0',
    '',
    '',
  ]
  const read = sip.parse(Buffer.from(request.join('\r\n')))
  const written = sip.stringify(sip.copyMessage(read)).split('\r\n')
  return { contact: read.headers.contact, lines: written.filter(line => line.startsWith('Cont')) }
}

const one = passedOn('Contact: <sip:bob@192.0.2.9>', 'c: text/plain', 'e: gzip')
const all = passedOn('Contact: *')
console.log('one device: ', JSON.stringify(one.lines))
console.log('all devices:', JSON.stringify(all.lines), 'read as', JSON.stringify(all.contact))
const same =
  one.lines.includes('Contact:  <sip:bob@192.0.2.9>') &&
  one.lines.includes('Content-Type: text/plain') &&
  one.lines.includes('Contact-Encoding: gzip') &&
  all.lines.includes('Contact:  <*>') &&
  all.contact !== '*' &&
  all.contact[0].uri === '*'
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
