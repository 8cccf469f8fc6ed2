/**
 * A thousand connections, of which every hundredth misbehaves in each of the ways that peers do:
 * the others get what they should, what is held stays within the bound, one is stopped for good
 * (SIGSTOP) and the server ends in time, with code 0.
 *
 * The server's time stands while the others are served, however long a busy machine takes for that,
 * and then passes by hand.
 */

import { Buffer } from 'node:buffer'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { bareNode, built } from '../built.ts'

const CROWD = 1000
const BUFFER_LIMIT = 4 * 1024 * 1024

/**
 * Echoes lines. Told by its standard input, it lets time pass until every timeout is over, stops,
 * and says what it held at most, and what became of its connections.
 */
const SERVER = `
  const { Connection, Engine, Server } = await import('file://${built()}index.js')
  const { ManualClock } = await import('file://${built()}testing.js')
  class HandClock extends ManualClock {
    soon(callback) { setImmediate(callback) }
  }
  const clock = new HandClock()
  const engine = new Engine({ clock, buffer_limit: ${BUFFER_LIMIT}, log: () => {} })
  const closed = {}
  let most = 0
  let isLooking = false
  // Once a turn, before anything is flushed: that is when most is held.
  const look = () => {
    isLooking = false
    most = Math.max(most, engine.stats().bytes_held)
  }
  class Echo extends Connection {
    encoding = 'latin1'
    read_delimiter = '\\n'
    read_timeout = 2000
    write_timeout = 2000
    end_timeout = 500
    on_read(line) {
      if (!isLooking) setImmediate(look)
      isLooking = true
      this.write(line + '\\n')
    }
    on_close(reason) { closed[reason] = (closed[reason] ?? 0) + 1 }
  }
  const server = await new Server(Echo, { engine }).listen(['127.0.0.1', 0]).opened
  console.log(server.local_address[1])
  process.stdin.once('data', async () => {
    const pass = async ms => {
      for (let left = ms; left > 0; left -= 10) {
        clock.advance(10)
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    await pass(3000)
    const stopped = engine.stop({ timeout: 2000 })
    await pass(2000)
    await stopped
    const { accepted } = engine.stats()
    console.log(JSON.stringify({ most, closed, accepted, left: engine.channels.size }))
    process.stdin.destroy()
  })
`

/**
 * What one in a hundred does, each. The number: how many lines of its own it must get all the same.
 */
const MISBEHAVIOURS: readonly ((socket: Socket) => void)[] = [
  socket => socket.write('half a line', () => socket.resetAndDestroy()),
  socket => socket.write('half a line', () => socket.destroy()),
  socket => socket.end('half a line').resume(),
  socket => socket.pause(),
  socket => {
    socket.pause()
    const more = (): void =>
      void (
        socket.destroyed ||
        socket.write(
          'a line that is never read\n'.repeat(1000),
          error => error || setImmediate(more),
        )
      )
    more()
  },
  socket => void socket.resume().write(Buffer.alloc(300_000, 'f')),
  socket =>
    void socket
      .resume()
      .write(Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919) % 256))),
  socket => {
    let left = 300
    const more = (): void =>
      void (
        socket.destroyed ||
        left-- === 0 ||
        socket.write('x', error => error || setImmediate(more))
      )
    socket.resume()
    more()
  },
]

/**
 * Sends lines in odd pieces; resolves when all have come back, rejects when something else does.
 */
async function behaves(socket: Socket, id: number): Promise<void> {
  const sent = Buffer.from(
    Array.from(
      { length: 30 },
      (_, i) => `${id} ${i} ${'.'.repeat((id * 31 + i * 17) % 200)}\n`,
    ).join(''),
  )
  let got = 0
  const size = 1 + ((id * 13) % 997)
  for (let at = 0; at < sent.length; at += size) socket.write(sent.subarray(at, at + size))
  for await (const data of socket as AsyncIterable<Buffer>) {
    if (!sent.subarray(got, got + data.length).equals(data))
      throw new Error(`connection ${id}: other bytes than were sent`)
    got += data.length
    if (got === sent.length) return
  }
  throw new Error(`connection ${id} ended after ${got} of ${sent.length} bytes`)
}

/**
 * One that a signal stops in the middle of everything: its system answers for it, it never does.
 */
async function stopped(port: number): Promise<ChildProcess> {
  const program = `
    const socket = require('node:net').connect(${port}, '127.0.0.1', () =>
      socket.write('line\\n'.repeat(1000), () => console.log('written')))
  `
  const child = spawn(...bareNode(['-e', program]), { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout!, 'data')
  child.kill('SIGSTOP')
  return child
}

t.test('a thousand connections, some of them bad', async t => {
  const server = spawn(...bareNode(['--input-type=module', '-e', SERVER]), {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => void server.kill('SIGKILL'))
  const port = Number(String(await once(server.stdout!, 'data')))
  const frozen = await stopped(port)
  t.teardown(() => void frozen.kill('SIGKILL'))
  const good: Promise<void>[] = []
  const sockets: Socket[] = []
  for (let id = 0; id < CROWD; id++) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    sockets.push(socket)
    const misbehaves = MISBEHAVIOURS[id % 100]
    if (misbehaves === undefined) good.push(behaves(socket, id))
    else socket.once('connect', () => misbehaves(socket))
    // Not all at once: the system holds so many ready, and drops the others.
    if (id % 100 === 99) await once(socket, 'connect')
  }
  const outcomes = await Promise.allSettled(good)
  t.same(
    outcomes
      .filter(each => each.status === 'rejected')
      .map(each => String((each as PromiseRejectedResult).reason)),
    [],
    'the others got what they should',
  )
  const ended = once(server, 'exit')
  const said = once(server.stdout!, 'data')
  server.stdin!.end('stop')
  const report = JSON.parse(String(await said)) as {
    most: number
    closed: Record<string, number>
    accepted: number
    left: number
  }
  for (const socket of sockets) socket.destroy()
  t.same(await ended, [0, null], 'it ends by itself, with code 0')
  t.ok(report.most <= BUFFER_LIMIT + 1024 * 1024, `${report.most} bytes were held at most`)
  t.equal(report.left, 0)
  t.equal(
    Object.values(report.closed).reduce((sum, count) => sum + count, 0),
    report.accepted,
    'each connection closed once',
  )
  t.ok(
    report.accepted > CROWD - CROWD / 100,
    'all were accepted, but for some that had been reset by then',
  )
  t.ok((report.closed['overflow'] ?? 0) >= CROWD / 100, 'those that flooded were refused')
})
