/** README.md: what every page has, and the echo server on its first screen. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { built } from '../built.ts'
import { blocksOf, manifest, only, pageText, program, start, testPage } from './kit.ts'

const PAGE = 'README.md'
const lib = built()

testPage('README.md')

/** Connects as soon as somebody listens; the test's timeout is the limit. */
async function reach(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect(port, 'localhost')
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      socket.destroy()
    }
  }
}

async function answer(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  let got = ''
  while (Buffer.byteLength(got) < Buffer.byteLength(text))
    got += String((await once(socket, 'data'))[0])
  return got
}

t.test('the echo server on the first screen', async t => {
  const block = only(PAGE, 'serve')
  t.ok(block.line < 20)
  // Its port may be taken on this machine, by the reader's own echo server for example. A port that
  // was found free went to another test's nats-server, which answered instead.
  const line = 'new Server(Echo).listen(4040)'
  t.match(block.text, line)
  const anyPort = `const server = await new Server(Echo).listen(0).opened
    console.error(server.local_address[1])`
  const file = await program(block, t.testdir({}), block.text.replace(line, anyPort))
  const { child, says, ended } = start(process.execPath, [file])
  const [, port] = await says(/(\d+)\n/)
  const socket = await reach(Number(port))
  t.equal(await answer(socket, 'hello\r\nwho is there?\r\n'), 'hello\r\nwho is there?\r\n')
  child.kill()
  socket.on('error', () => {})
  t.strictSame(await ended, { code: null, out: '', err: `${port}\n` })
})

t.test('the session in the terminal', async t => {
  const [command, ...typed] = only(PAGE, 'session').text.split('\n')
  t.equal(command, '$ nc localhost 4040')
  t.equal(typed.pop(), '^C')
  t.match(manifest.scripts.start, 'lib/commands/echo/main.js')
  const main = join(lib, 'commands/echo/main.js')
  const { child, says, ended } = start(process.execPath, [main, '--port', '0'])
  const [, port] = await says(/listening on .*:(\d+)\n/)
  const socket = await reach(Number(port))
  for (let at = 0; at < typed.length; at += 2)
    t.equal(await answer(socket, `${typed[at]}\n`), `${typed[at + 1]}\n`)
  socket.end()
  await says(/closed/)
  child.kill('SIGINT')
  const { code, err } = await ended
  t.equal(code, 0)
  t.equal(neutral(err), neutral(`${only(PAGE, 'said').text.replace('^C', '')}\n`))
})

/** Without the addresses, which differ from run to run and from machine to machine. */
function neutral(text: string): string {
  return text
    .replace(/(listening on )(\[::\]|0\.0\.0\.0):\d+/, '$1ANY')
    .replace(/(#\d+ )(\[::1\]|127\.0\.0\.1):\d+/g, '$1PEER')
}

// .ci/run takes its test command from here, by this comment.
t.test('commands', async t => {
  t.strictSame(
    blocksOf(PAGE)
      .filter(({ how }) => how === 'command')
      .map(({ text }) => text),
    ['npm install && npm start', 'npm install && npm test'],
  )
})

t.test('how to install', async t => {
  const lines = only(PAGE, 'install')
    .text.split('\n')
    .map(line => line.replace(/ *#.*/, ''))
  t.strictSame(lines, [
    'npm install sluice',
    'npm install git+https://HOST/sluice.git',
    `npm install ./sluice-${manifest.version}.tgz`,
  ])
})

t.test('it is the door: short, and its figures are those of the benchmarks', async t => {
  const text = pageText(PAGE)
  t.ok(text.split('\n').length <= 301)
  const figures = pageText('bench/README.md')
  const [, summary = ''] = /<!-- bench:begin -->\n([^]*?)<!-- bench:end -->/.exec(text) ?? []
  const [head = [], , ...rows] = summary
    .trim()
    .split('\n')
    .map(line => line.split(/ *\| */))
  t.ok(rows.length >= 4)
  for (const [, work, ...times] of rows)
    head.slice(2, -1).forEach((node, column) => {
      // A row may have marks behind its title.
      const version = node.replace(/^Node (\d+\.\d+).*/, '$1')
      const row = figures
        .split('\n')
        .find(line => line.startsWith(`| ${work} `) && line.split(' | ')[1] === version)
      t.equal(row?.split(' | ')[5], times[column], `${work}, ${node}`)
    })
})
