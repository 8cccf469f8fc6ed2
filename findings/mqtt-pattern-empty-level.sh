#!/usr/bin/env bash
# mqtt-pattern: what a broker sends for "a/+/c" does not match it, if the level is empty.
#
# Versions:  the npm packages `mqtt-pattern`, 2.1.1, `mqtt-match`, 3.0.0, and `mqtt`, 5.16.0, on any
#            Node; mosquitto 2.0.11-1.2+deb12u2 of Debian 12 (bookworm), amd64.
# Expected:  a level of a topic may be empty, and "+" stands for any one level: "a/+" is for "a/"
#            (MQTT 5.0, 4.7.1.3), "+/b" for "/b", and "a/+/c" for "a//c". A program asks
#            `matches(filter, topic)` for which of its handlers a message is.
# Seen:      mosquitto sends all of them, and mqtt-match says yes. mqtt-pattern says no, so the
#            message that was subscribed to has no handler, and `exec` gives null instead of the
#            parts. So it is with topics that begin with "/", and where an id is left empty. With
#            "#" it says yes, and so it does for any level with a name.
# Here:      nothing of sluice matches topics of MQTT.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  mqtt-pattern@2.1.1 mqtt-match@3.0.0 mqtt@5.16.0 >/dev/null

(
  cd "$folder"
  apt-get download -qq mosquitto=2.0.11-1.2+deb12u2 libmosquitto1=2.0.11-1.2+deb12u2 \
    libwrap0=7.6.q-32 libcjson1=1.7.15-1+deb12u4 libdlt2=2.18.8-6
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.cjs" <<'PROGRAM'
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { writeFileSync } = require('node:fs')
const net = require('node:net')
const mqtt = require('mqtt')
const match = require('mqtt-match')
const { exec, matches } = require('mqtt-pattern')

const matchOf = match.default ?? match
const cases = [
  ['site/+/state', 'site/7/state', true],
  ['site/+/state', 'site//state', false],
  ['room/+', 'room/', false],
  ['+/light', '/light', false],
  ['door/#', 'door//open', true],
]

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

function listens(port) {
  const socket = net.connect(port, '127.0.0.1')
  const ready = once(socket, 'connect').then(
    () => true,
    () => new Promise(resolve => setTimeout(resolve, 20, false)),
  )
  return ready.finally(() => socket.destroy())
}

async function main() {
  const port = await freePort()
  writeFileSync('config', `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\n`)
  const env = { ...process.env, LD_LIBRARY_PATH: 'usr/lib/x86_64-linux-gnu' }
  const broker = spawn('usr/sbin/mosquitto', ['-c', 'config'], { env, stdio: 'ignore' })
  let same = true
  try {
    while (!(await listens(port)));
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`)
    for (const [filter, topic, expected] of cases) {
      await client.subscribeAsync(filter)
      const heard = once(client, 'message')
      await client.publishAsync(topic, 'x')
      const [received] = await heard
      await client.unsubscribeAsync(filter)
      const seen = [matchOf(filter, received), matches(filter, received)]
      console.log(`${filter} gets ${received}; mqtt-match ${seen[0]}, mqtt-pattern ${seen[1]}`)
      same &&= received === topic && seen.join() === `true,${expected}`
    }
    same &&= exec('site/+id/state', 'site//state') === null
    client.end(true)
  } finally {
    broker.kill()
  }
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
