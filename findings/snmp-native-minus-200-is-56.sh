#!/usr/bin/env bash
# snmp-native: `set` to -200 sets 56.
#
# Versions:  the npm packages `snmp-native`, 1.2.0, and `net-snmp`, 3.29.2, on any Node.
# Expected:  an INTEGER of SNMP is 32 bits with a sign, in as few bytes as keep the sign (X.690,
#            8.3): -200 is ff 38. So net-snmp sends it.
# Seen:      snmp-native leaves out the leading ff, whatever the next byte is: -200 is 38, which is
#            56. So it is with -255 to -129, with -65,535 to -32,769, and so on; each of the others
#            is right. The agent accepts, and the answer says success. A cold store whose set point
#            counts in tenths goes to 5.6 degrees instead of -20.0; with -12.8 and above, or -30.0,
#            all is well. What the agent sends is read rightly.
# Here:      a Struct writes an integer in all bytes of its field.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  snmp-native@1.2.0 net-snmp@3.29.2 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const dgram = require('node:dgram')
const { once } = require('node:events')
const netSnmp = require('net-snmp')
const native = require('snmp-native')

const OID = '1.3.6.1.4.1.99999.1'
const INTEGER = 2

async function main() {
  // The agent cannot be asked for the port that it was given, so a free one is found first.
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise(resolve => socket.close(resolve))

  const agent = netSnmp.createAgent({ port, address: '127.0.0.1', disableAuthorization: true })
  agent.registerProvider({
    name: 'setPoint',
    type: netSnmp.MibProviderType.Scalar,
    oid: OID,
    scalarType: netSnmp.ObjectType.Integer,
    maxAccess: netSnmp.MaxAccess['read-write'],
  })
  const mib = agent.getMib()
  mib.setScalarValue('setPoint', 0)
  const session = new native.Session({ host: '127.0.0.1', port, community: 'private' })
  const other = netSnmp.createSession('127.0.0.1', 'private', { port })

  const setByNative = value =>
    new Promise((resolve, reject) => {
      const done = error => (error ? reject(error) : resolve())
      session.set({ oid: `.${OID}.0`, value, type: INTEGER, timeouts: [10_000] }, done)
    })
  const setByNetSnmp = value =>
    new Promise((resolve, reject) => {
      const bindings = [{ oid: `${OID}.0`, type: netSnmp.ObjectType.Integer, value }]
      other.set(bindings, error => (error ? reject(error) : resolve()))
    })

  const expected = {
    [-100]: -100,
    [-128]: -128,
    [-129]: 127,
    [-200]: 56,
    [-300]: -300,
    [-40_000]: 25_536,
    [-70_000]: -70_000,
  }
  let same = true
  for (const [text, value] of Object.entries(expected)) {
    await setByNetSnmp(Number(text))
    const right = mib.getScalarValue('setPoint')
    await setByNative(Number(text))
    const seen = mib.getScalarValue('setPoint')
    console.log(`${text} is set to ${right} by net-snmp, to ${seen} by snmp-native`)
    same &&= right === Number(text) && seen === value
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && NODE_NO_WARNINGS=1 timeout 60 node program.cjs
