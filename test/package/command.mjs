// The installed commands, and netcat, as README shows them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const server = spawn('node_modules/.bin/sluice-echo', ['--port', '0'], {
  stdio: ['ignore', 'inherit', 'pipe'],
})
let said = ''
server.stderr.on('data', chunk => (said += chunk))
while (!/:\d+\n/.test(said)) await once(server.stderr, 'data')
const [, port] = /listening on .*:(\d+)\n/.exec(said)

const nc = spawn('nc', ['-N', 'localhost', port], { stdio: ['pipe', 'pipe', 'inherit'] })
nc.stdin.end('hello\nHow do you do?\n')
assert.equal((await nc.stdout.toArray()).join(''), 'hello\nHow do you do?\n')

while (!/closed/.test(said)) await once(server.stderr, 'data')

const cat = spawn('node_modules/.bin/sluice-cat', [`tcp://localhost:${port};frame=line`], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
cat.stdin.write('hello\n')
assert.equal(String((await once(cat.stdout, 'data'))[0]), 'hello\n')
cat.stdin.end()
assert.deepEqual(await once(cat, 'close'), [0, null])

while (!/closed.*closed/s.test(said)) await once(server.stderr, 'data')
server.kill('SIGINT')
assert.deepEqual(await once(server, 'close'), [0, null])
assert.match(
  said,
  /#1 .* opened\n.*#1 .* closed \(remote\), 21 bytes in, 21 out\n.*SIGINT: stopping\n$/s,
)
