#!/usr/bin/env bash
# asterisk-ami-client: of what a command prints, the last line is all that there is.
#
# Versions:  the npm packages `asterisk-ami-client`, 1.1.5, with `asterisk-ami-event-utils`, 2.0.2,
#            which it installs, and `asterisk-manager`, 0.2.0, on any Node.
# Expected:  a field may come more than once in a message of the manager interface: since Asterisk
#            14 each line that a command prints is a field `Output`, and an event may have several
#            `ChanVariable`. All of them arrive, as with asterisk-manager, which makes a list.
# Seen:      the last one is all that the client gives, as a text. So "core show channels" is "2
#            active channels", without the channels, and of the variables of a call only one is
#            there, whichever was set last. There is no error, and a command that prints one line,
#            such as "core show version", is right, so a first test finds nothing.
# Here:      nothing of sluice takes the fields of a message apart.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  asterisk-ami-client@1.1.5 asterisk-ami-event-utils@2.0.2 asterisk-manager@0.2.0 >/dev/null

cat >"$folder/program.cjs" <<'PROGRAM'
const { once } = require('node:events')
const net = require('node:net')
const AmiClient = require('asterisk-ami-client')
const Manager = require('asterisk-manager')

const outputs = {
  'core show version': ['Asterisk 20.6.0 built by pbuilder'],
  'core show channels': ['SIP/100-1 200@in Up', 'SIP/200-2 100@in Up', '2 active channels'],
}
const event = ['Event: Newstate', 'Channel: SIP/100-1']
const variables = ['ChanVariable: customer=4711', 'ChanVariable: language=de']

const server = net.createServer(socket => {
  const send = lines => socket.write(lines.join('\r\n') + '\r\n\r\n')
  socket.write('Asterisk Call Manager/9.0.0\r\n')
  let received = ''
  socket.on('data', chunk => {
    const messages = (received + chunk).split('\r\n\r\n')
    received = messages.pop()
    for (const message of messages) {
      const field = name => new RegExp(`^${name}: *(.*)$`, 'im').exec(message)?.[1]
      const id = field('ActionID') ? [`ActionID: ${field('ActionID')}`] : []
      const lines = outputs[field('Command')]
      const text = lines ? 'Command output follows' : 'Authentication accepted'
      const output = lines?.map(line => `Output: ${line}`) ?? []
      send(['Response: Success', ...id, `Message: ${text}`, ...output])
      if (lines) send([...event, ...variables])
    }
  })
})

async function main() {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address()
  const client = new AmiClient()
  await client.connect('user', 'secret', { host: '127.0.0.1', port })
  const manager = new Manager(port, '127.0.0.1', 'user', 'secret', true)

  const results = []
  const states = [once(client, 'event'), once(manager, 'newstate')]
  for (const command of Object.keys(outputs)) {
    const answered = new Promise(resolve =>
      client.on('response', answer => 'Output' in answer && resolve(answer)),
    )
    client.action({ Action: 'Command', Command: command })
    const output = await new Promise(resolve =>
      manager.action({ action: 'command', command }, (_, answer) => resolve(answer.output)),
    )
    results.push((await answered).Output, output)
  }
  const [[ofClient], [ofManager]] = await Promise.all(states)
  results.push(ofClient.ChanVariable, ofManager.chanvariable)
  for (let index = 0; index < results.length; index += 2) {
    console.log('asterisk-ami-client:', results[index])
    console.log('asterisk-manager:   ', results[index + 1])
  }
  const [one] = outputs['core show version']
  const several = outputs['core show channels']
  const all = { customer: '4711', language: 'de' }
  const expected = [one, one, several.at(-1), several, 'language=de', all]
  process.exit(JSON.stringify(results) === JSON.stringify(expected) ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node program.cjs
