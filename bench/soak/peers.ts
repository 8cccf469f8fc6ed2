/**
 * Bench. The peers of a soak. Each visits the server once. It behaves, or misbehaves in one of the
 * ways that peers do.
 *
 * Rules:
 * 1. Every visit ends by itself, after LONGEST at the latest.
 * 2. What comes back to a peer that behaves is compared byte for byte.
 */

import { Buffer } from 'node:buffer'
import { connect, type Socket } from 'node:net'

/** What came of the visits. */
export interface Outcome {
  visits: number
  /** Lines, or messages, that came back right. */
  answers: number
  /** What peers that behave found wrong. The soak fails with the first fault. */
  readonly faults: string[]
}

/** Milliseconds after which a visitor leaves, whatever the server does. */
const LONGEST = 5000

/** What such a socket is destroyed with: on a busy machine the peer may be to blame. */
export const LATE = new Error('the visit takes too long')

const LINE = Buffer.from(`${'0123456789abcdef'.repeat(5)}\n`)

/** Returns a whole number from 0 to below `limit`. */
export type Random = (limit: number) => number

/** Visits again and again until `signal` aborts. Each visit is of a random kind. */
export async function visitAgain(
  port: number,
  visits: readonly Visit[],
  random: Random,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const visit = visits[random(visits.length)] as Visit
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    const timer = setTimeout(() => socket.destroy(LATE), LONGEST)
    const gone = new Promise(resolve => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.once('connect', () => visit(socket, random, outcome))
    await gone
    clearTimeout(timer)
    outcome.visits++
  }
}

export type Visit = (socket: Socket, random: Random, outcome: Outcome) => void

/** Most behave. */
export const LINE_VISITS: readonly Visit[] = [
  behaves,
  behaves,
  behaves,
  behaves,
  behaves,
  halfALine,
  resets,
  keepsSilent,
  neverReads,
  trickles,
  floods,
  talksNonsense,
]

/** Sends lines in pieces of a random size, and leaves when all of them have come back. */
function behaves(socket: Socket, random: Random, outcome: Outcome): void {
  const lines = 1 + random(200)
  const sent = Buffer.concat(
    Array.from({ length: lines }, () => LINE.subarray(random(LINE.length))),
  )
  let got = 0
  socket.on('data', data => {
    if (!sent.subarray(got, got + data.length).equals(data)) {
      outcome.faults.push(
        `at byte ${got} of ${sent.length}: ${data.length} bytes differ from those that were sent`,
      )
      socket.destroy()
      return
    }
    got += data.length
    if (got < sent.length) return
    outcome.answers += lines
    if (random(2) === 0) socket.end()
    else socket.destroy()
  })
  socket.once('close', () => {
    if (got < sent.length) outcome.faults.push(`closed after ${got} of ${sent.length} bytes`)
  })
  const size = 1 + random(4000)
  for (let at = 0; at < sent.length; at += size) socket.write(sent.subarray(at, at + size))
}

function halfALine(socket: Socket): void {
  socket.end('half a li')
}

function resets(socket: Socket, random: Random): void {
  socket.write(LINE.subarray(0, random(LINE.length)), () => socket.resetAndDestroy())
}

/** Sends nothing, until the server's read_timeout. */
function keepsSilent(socket: Socket): void {
  socket.resume()
}

/** Sends lines and reads nothing, until the server's write_timeout or the bound of its queue. */
function neverReads(socket: Socket): void {
  const more = (): void => {
    if (!socket.destroyed) socket.write(LINE, error => error === undefined && setImmediate(more))
  }
  socket.pause()
  more()
}

function trickles(socket: Socket): void {
  let at = 0
  socket.resume()
  const more = (): void => {
    if (at === LINE.length) socket.end()
    else if (!socket.destroyed) socket.write(LINE.subarray(at, ++at), () => setImmediate(more))
  }
  more()
}

/** Sends a MiB without a line end, which is over the server's buffer_size. */
function floods(socket: Socket): void {
  socket.resume()
  socket.write(Buffer.alloc(1024 * 1024, 'x'))
}

function talksNonsense(socket: Socket, random: Random): void {
  socket.resume()
  socket.end(Buffer.from(Array.from({ length: 500 }, () => random(256))))
}
