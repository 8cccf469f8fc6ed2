/**
 * Bench. The loads of whole connections: 'connect' (open, one line, close, and again) and 'idle'
 * (open, one line, keep open).
 */

import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { line } from './batches.ts'
import { dialAll } from './dial-all.ts'
import type { Load, Task } from './load.ts'
import { dial, dialSecurely } from './socket.ts'
import { go, say, sleep, Tally } from './tally.ts'

const LINES: readonly Buffer[] = Array.from({ length: 256 }, (_, id) => line(id, 64))

export async function connectAgain(task: Task, load: Load & { kind: 'connect' }): Promise<void> {
  const tally = new Tally(task)
  const open = load.tls === undefined ? dial : dialSecurely
  const session = load.tls === 'resumed' ? await sessionOf(task.port, tally) : undefined
  const again = (): void => {
    const socket = visit(task.port, tally, open, session, () => {
      socket.destroy()
      again()
    })
  }
  for (let i = 0; i < load.connections; i++) again()
  await tally.overTime()
}

/** A session of the server, for others to resume: it may be resumed any number of times. */
function sessionOf(port: number, tally: Tally): Promise<Buffer> {
  return new Promise(resolve => {
    const socket = visit(port, tally, dialSecurely, undefined, () => {})
    socket.once('session', (session: Buffer) => {
      resolve(session)
      socket.destroy()
    })
  })
}

/** This many connections come and go first, so that what a server makes once is not counted. */
const FIRST = 200

/** Milliseconds that a server has to finish what it is doing. */
const REST = 100

export async function idle(task: Task, load: Load & { kind: 'idle' }): Promise<void> {
  const tally = new Tally(task)
  const open = load.isSecure ? dialSecurely : dial
  for (const socket of await visitAll(task, tally, open, FIRST)) socket.destroy()
  await sleep(REST)
  const end = tally.begin()
  say('begin')
  await go()
  await visitAll(task, tally, open, load.connections)
  await sleep(REST)
  end()
}

/** Opens connections; resolves when each of them has got its line back. */
async function visitAll(
  task: Task,
  tally: Tally,
  open: typeof dialSecurely,
  count: number,
): Promise<Socket[]> {
  const answered: Promise<void>[] = []
  const sockets = await dialAll(count, () => {
    let done!: () => void
    answered.push(new Promise(resolve => (done = resolve)))
    return visit(task.port, tally, open, undefined, done)
  })
  await Promise.all(answered)
  return sockets
}

let visits = 0

/** Connects and sends a line; calls `done` when it has come back. */
function visit(
  port: number,
  tally: Tally,
  open: typeof dialSecurely,
  session: Buffer | undefined,
  done: () => void,
): Socket {
  const expected = LINES[visits++ % LINES.length] as Buffer
  let got = 0
  const received = (size: number, bytes: Buffer): void => {
    if (got + size > expected.length || bytes.compare(expected, got, got + size, 0, size) !== 0) {
      return tally.wrong(bytes.subarray(0, size), expected.subarray(got), got)
    }
    got += size
    if (got < expected.length) return
    tally.messages++
    done()
  }
  const socket = open(port, tally, received, session)
  // Node queues it until the socket is connected.
  socket.write(expected)
  return socket
}
