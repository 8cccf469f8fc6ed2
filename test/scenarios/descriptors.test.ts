/**
 * More clients than the process may have files open, with a real limit: all of them are served or
 * told off, none is dropped in silence, and the server lives and ends by itself.
 *
 * At its limit libuv accepts and closes what comes without telling Node, which for a client looks
 * like a server that hung up on it.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { bareNode, built } from '../built.ts'

const LIMIT = 256
const CLIENTS = 400

const SERVER = `
  const { Connection, Engine, Server } = await import('file://${built()}index.js')
  const counts = { accepted: 0, overload: 0, dropped: {}, errors: 0 }
  class Greeter extends Connection {
    on_connect() { counts.accepted++; this.write('welcome') }
    on_error() { counts.errors++; this.close() }
  }
  class Counted extends Server {
    on_overload() { counts.overload++ }
    on_drop(reason) { counts.dropped[reason] = (counts.dropped[reason] ?? 0) + 1 }
  }
  const server = await new Counted(Greeter).listen(['127.0.0.1', 0]).opened
  console.log(server.local_address[1])
  process.stdin.on('data', async command => {
    if (String(command) === 'counts') return console.log(JSON.stringify(counts))
    await Engine.instance().stop()
    process.stdin.destroy()
  })
`

/** How to start a program that may have so many files open. */
function withDescriptors(limit: number, program: string): ReturnType<typeof bareNode> {
  const [command, argv] = bareNode(['--input-type=module', '-e', program])
  return ['bash', ['-c', `ulimit -n ${limit} && exec "$0" "$@"`, command, ...argv]]
}

/** Connects; 'served' when it was greeted, else 'closed'. */
async function visit(port: number, sockets: Socket[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  sockets.push(socket)
  socket.on('error', () => {})
  return Promise.race([
    once(socket, 'data').then(
      () => 'served',
      () => 'closed',
    ),
    once(socket, 'close').then(() => 'closed'),
  ])
}

// Node's loader opens at once all files that it knows of. With 64 descriptors, importing failed.
t.test('few descriptors are enough to begin', async t => {
  const program = `
    await import('file://${built()}index.js')
    await import('file://${built()}messages/index.js')
    console.log('loaded')`
  const child = spawn(...withDescriptors(64, program), { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', data => (said += data))
  await once(child, 'close')
  t.equal(said, 'loaded\n')
})

t.test(
  'more clients than descriptors',
  { skip: process.platform !== 'linux' && 'only Linux says what the limit is' },
  async t => {
    const server = spawn(...withDescriptors(LIMIT, SERVER), { stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => void server.kill('SIGKILL'))
    const port = Number(String(await once(server.stdout!, 'data')))
    const counts = async () => {
      const said = once(server.stdout!, 'data')
      server.stdin!.write('counts')
      return JSON.parse(String(await said)) as {
        accepted: number
        overload: number
        dropped: Record<string, number>
        errors: number
      }
    }
    const sockets: Socket[] = []
    const fates: string[] = []
    for (let i = 0; i < CLIENTS; i++) fates.push(await visit(port, sockets))
    const served = fates.filter(fate => fate === 'served').length
    const first = await counts()
    t.ok(served > LIMIT / 2 && served < LIMIT, `${served} were served`)
    t.same(
      first,
      { accepted: served, overload: 1, dropped: { overload: CLIENTS - served }, errors: 0 },
      'each of the others was told of',
    )
    for (const socket of sockets) socket.destroy()
    await Promise.all(sockets.map(socket => socket.closed || once(socket, 'close')))
    let again = 'closed'
    for (let i = 0; i < 100 && again === 'closed'; i++) again = await visit(port, sockets)
    t.equal(again, 'served', 'there is room again')
    const ended = once(server, 'exit')
    server.stdin!.write('stop')
    sockets.at(-1)!.end()
    t.same(await ended, [0, null])
  },
)
