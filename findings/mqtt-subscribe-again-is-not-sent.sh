#!/usr/bin/env bash
# mqtt (MQTT.js): `subscribe` to what is subscribed to is not sent, and succeeds.
#
# Versions:  the npm package `mqtt`, 5.16.0, on any Node; mosquitto 2.0.11-1.2+deb12u2 of Debian 12
#            (bookworm), amd64, and its libraries libcjson1 1.7.15-1+deb12u4, libdlt2 2.18.8-6,
#            libwrap0 7.6.q-32.
# Expected:  a second SUBSCRIBE with the same topic replaces the first: its QoS and options hold
#            from then on, and the retained message comes again (MQTT 3.1.1, 3.8.4; MQTT 5, 3.8.4).
# Seen:      nothing is sent, unless the QoS is higher than before. The promise resolves, with a
#            list of granted topics that is empty. So no retained message comes for a second part of
#            a program that subscribes (many take that for the protocol's rule, or the broker's
#            fault), a lower QoS changes nothing, and with MQTT 5 neither do noLocal (`nl`) and the
#            other options. After `unsubscribe` all of it works.
# Here:      a client of MQTT on sluice sends each SUBSCRIBE.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt, 10 s.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT

(
  cd "$folder"
  apt-get download -qq \
    mosquitto=2.0.11-1.2+deb12u2 \
    libwrap0=7.6.q-32 libcjson1=1.7.15-1+deb12u4 \
    libdlt2=2.18.8-6 \
    libmosquitto1=2.0.11-1.2+deb12u2
  for package in *.deb; do dpkg -x "$package" .; done
)
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" mqtt@5.16.0 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import mqtt from 'mqtt'

const folder = process.argv[2]
const free = createServer().listen(0, '127.0.0.1')
await once(free, 'listening')
const { port } = free.address()
free.close()
const config = `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\n`
writeFileSync(`${folder}/mosquitto.conf`, config)
const broker = spawn(`${folder}/usr/sbin/mosquitto`, ['-c', `${folder}/mosquitto.conf`], {
  env: { LD_LIBRARY_PATH: `${folder}/usr/lib/x86_64-linux-gnu` },
  stdio: 'ignore',
})

const seen = []
try {
  const options = { protocolVersion: 5, reconnectPeriod: 50 }
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, options)
  client.on('error', () => {})
  await once(client, 'connect')
  let sent = 0
  let got = []
  client.on('packetsend', packet => (sent += packet.cmd === 'subscribe'))
  client.on('message', (topic, data, { qos }) => topic === 'a' && got.push(`${data} ${qos}`))

  /** Ends once all that the broker has sent before has come. */
  async function barrier() {
    await client.unsubscribeAsync('nothing')
  }

  async function step(name, options) {
    sent = 0
    got = []
    const granted = await client.subscribeAsync('a', options)
    await barrier()
    const retained = got.length
    got = []
    await client.publishAsync('a', 'own', { qos: 1 })
    await barrier()
    const line = `SUBSCRIBE ${sent}, granted ${granted.length}, retained ${retained}, then ${got}`
    console.log(`${name}: ${line}`)
    seen.push(line)
  }

  await client.publishAsync('a', 'kept', { qos: 1, retain: true })
  await step('first', { qos: 1 })
  await step('again', { qos: 1 })
  await step('with QoS 0', { qos: 0 })
  await step('with nl', { qos: 1, nl: true })
  await client.unsubscribeAsync('a')
  await step('with nl, after unsubscribe', { qos: 1, nl: true })
  client.end(true)
} finally {
  broker.kill()
}
const same = [
  'SUBSCRIBE 1, granted 1, retained 1, then own 1',
  'SUBSCRIBE 0, granted 0, retained 0, then own 1',
  'SUBSCRIBE 0, granted 0, retained 0, then own 1',
  'SUBSCRIBE 0, granted 0, retained 0, then own 1',
  'SUBSCRIBE 1, granted 1, retained 1, then ',
].every((line, at) => line === seen[at])
process.exit(same ? 0 : 1)
PROGRAM

cd "$folder" && timeout 30 node program.mjs "$folder"
