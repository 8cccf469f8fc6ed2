#!/usr/bin/env bash
# jackd: of two jobs that are looked at together the first has both, and pauseTube waits for ever.
#
# Versions:  the npm package `jackd`, 2.2.2, on any Node; beanstalkd 1.12-2+b1 of Debian 12
#            (bookworm), amd64.
# Expected:  an answer says its length: "FOUND 1 5", five bytes and a line end. What is behind them
#            is the next answer. A client may send a command before the last one is answered, and
#            `Promise.all` does. A command ends with a line end.
# Seen:      once a length is known, all that has come is the body: the first job is "hello", a line
#            end, "FOUND 2 6", and "world!". The second is never answered. It happens when both
#            answers are read at once, as when the program was busy for a moment; one by one, as in
#            each test, it is right. `pauseTube` sends no line end: the server waits for the rest,
#            and takes the next command for it. Nothing is paused, neither is carried out, and both
#            are refused, but only once there is a next one.
# Here:      a delimiter takes its bytes, and leaves the others for the next read.
#
# Exits with 0 as long as this is so, with 1 once it is not. Needs Debian's apt.
set -euo pipefail
folder=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" \
  jackd@2.2.2 >/dev/null
(
  cd "$folder"
  apt-get download -qq beanstalkd=1.12-2+b1
  for package in *.deb; do dpkg -x "$package" .; done
)

cat >"$folder/program.cjs" <<'PROGRAM'
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { connect, createServer } = require('node:net')
const Client = require('jackd')

/** Passes on to a port, and what comes back once it ends so: as when the reader was busy. */
async function joined(port, end) {
  const server = createServer(socket => {
    const upstream = connect(port, '127.0.0.1')
    socket.on('error', () => {}).pipe(upstream)
    let kept = ''
    upstream.setEncoding('latin1').on('data', data => {
      kept += data
      if (kept.endsWith(end)) socket.write(kept, 'latin1')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server.address().port
}
/** What a promise gives within a second, or that it gives nothing. */
const within = promise =>
  Promise.race([
    promise.then(String, error => error.message),
    new Promise(resolve => setTimeout(resolve, 1000, 'no answer')),
  ])

async function main() {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  await once(free, 'close')
  const options = ['-l', '127.0.0.1', '-p', `${port}`]
  const server = spawn(`${__dirname}/usr/bin/beanstalkd`, options, { stdio: 'inherit' })
  process.on('exit', () => server.kill('SIGKILL'))
  for (let open = false; !open;) {
    const socket = connect(port, '127.0.0.1')
    open = await once(socket, 'connect').then(
      () => true,
      () => new Promise(resolve => setTimeout(resolve, 20, false)),
    )
    socket.destroy()
  }
  const connected = to => new Client().connect({ host: '127.0.0.1', port: to })
  const text = async job => JSON.stringify(String((await job).payload))

  const client = await connected(port)
  const ids = [await client.put('hello'), await client.put('world!')]
  const single = [await text(client.peek(ids[0])), await text(client.peek(ids[1]))]
  const late = await connected(await joined(port, 'world!\r\n'))
  const both = await Promise.all(ids.map(id => within(text(late.peek(id)))))

  const other = await connected(port)
  const paused = other.pauseTube('default', { delay: 1 })
  const alone = await within(paused)
  const next = await within(other.listTubes())
  const later = await within(paused)
  console.log('one by one:', single.join(', '))
  console.log('together:  ', both.join(', '))
  console.log(`pauseTube: ${alone}; then list-tubes: ${next}, and the first: ${later}`)
  const same =
    single.join() === '"hello","world!"' &&
    both.join() === String.raw`"hello\r\nFOUND 2 6\r\nworld!",no answer` &&
    [alone, next, later].join() === 'no answer,no answer,BAD_FORMAT'
  process.exit(same ? 0 : 1)
}
main()
PROGRAM

cd "$folder" && timeout 60 node --no-deprecation program.cjs
