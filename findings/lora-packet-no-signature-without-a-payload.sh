#!/usr/bin/env bash
# lora-packet: a frame without a payload, as an acknowledgement is, has the signature EEEEEEEE.
#
# Versions:  the npm package `lora-packet`, 0.9.3, on any Node.
# Expected:  "if a NwkSKey is provided then the MIC is calculated (otherwise = EEEEEEEE)". Each
#            frame of LoRaWAN has one. A frame without a payload has no port either: so a server
#            acknowledges, and so it sends commands in the options (LoRaWAN 1.0.4, 4.3).
# Seen:      the MIC is calculated together with the encryption, and only of a frame with a port. So
#            the acknowledgement of a confirmed message goes out with EE EE EE EE, and there is no
#            error; the device throws it away, and sends its message again, several times and at
#            lower speeds. `verifyMIC` of the package itself refuses what it has made, and
#            `calculateMIC` knows the right one. A port, with nothing behind it, helps.
# Here:      a codec that is given a key signs, whatever it signs.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  lora-packet@0.9.3 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { calculateMIC, fromFields, fromWire, verifyMIC } = require('lora-packet')

const appKey = Buffer.from('ec925802ae430ca77fd3dd73cb2cc588', 'hex')
const networkKey = Buffer.from('44024241ed4ce9a68c6a8bc055233fd3', 'hex')

const results = {}
for (const [name, fields] of Object.entries({
  'with a payload': { payload: 'test', FPort: 1 },
  'an acknowledgement': { payload: '' },
  'a command, DevStatusReq': { payload: '', FOpts: '06' },
  'a port, and nothing': { payload: '', FPort: 1 },
})) {
  const packet = fromFields(
    {
      MType: 'Unconfirmed Data Down',
      DevAddr: Buffer.from('49be7df1', 'hex'),
      FCnt: 2,
      FCtrl: { ACK: true },
      ...fields,
    },
    appKey,
    networkKey,
  )
  const sent = fromWire(packet.PHYPayload)
  const mic = sent.MIC.toString('hex')
  const right = calculateMIC(sent, networkKey).toString('hex')
  results[name] = [mic === 'eeeeeeee', mic === right, verifyMIC(sent, networkKey)].join()
  console.log(`${name}: ${mic}, should be ${right}; verified: ${verifyMIC(sent, networkKey)}`)
}
const [well, unsigned] = ['false,true,true', 'true,false,false']
const expected = [well, unsigned, unsigned, well]
process.exit(Object.values(results).join(' ') === expected.join(' ') ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.cjs
