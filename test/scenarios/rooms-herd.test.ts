/**
 * 4000 clients of one room server, each a real session, on one clock. The server dies; for
 * three minutes every attempt is refused; then it is there again.
 *
 * The herd has no peak: at no stage do more than twice as many come at a moment as on average. A
 * stage is as long as a wait may be then: 1 s, 2 s, 4 s … 30 s. When waits grow no more, it is so
 * over all of the time. From the first moment on it cannot be, because waits that grow from 1 s to
 * 30 s are what makes the first attempts the most. Whoever wants it gives a first wait that is half
 * of the longest.
 */

import t, { type Test } from 'tap'
import type { Carrier, CarrierSink } from '../../src/rooms/client/carrier.ts'
import { type RoomChannelOptions, channelValues } from '../../src/rooms/client/channel-options.ts'
import { RoomSession } from '../../src/rooms/client/room-session.ts'
import { seeded } from '../core/oracle.ts'

const CLIENTS = 4000
const DEAD = 180_000

/** Attempts are counted in parts of a stage. */
const PARTS = 10

/** A clock for very many timers, to the millisecond. */
class Wheel {
  #now = 0
  readonly #due = new Map<number, Set<() => void>>()
  pending = 0

  now(): number {
    return this.#now
  }

  after(delay: number, callback: () => void): () => void {
    const at = this.#now + Math.max(1, Math.round(delay))
    const slot = this.#due.get(at) ?? new Set()
    this.#due.set(at, slot.add(callback))
    this.pending++
    return () => void (slot.delete(callback) && this.pending--)
  }

  advance(ms: number): void {
    for (const end = this.#now + ms; this.#now < end;) {
      const slot = this.#due.get(++this.#now)
      this.#due.delete(this.#now)
      for (const callback of slot ?? []) {
        slot!.delete(callback)
        this.pending--
        callback()
      }
    }
  }
}

const mean = (counts: readonly number[]): number =>
  counts.reduce((sum, count) => sum + count, 0) / counts.length

/** Attempts in each `width` ms, from the death on. */
function counted(attempts: readonly number[], from: number, end: number, width: number): number[] {
  const counts = Array.from({ length: Math.floor((end - from) / width) }, () => 0)
  for (const at of attempts) {
    const index = Math.floor((at - from) / width)
    if (index >= 0 && index < counts.length) counts[index]!++
  }
  return counts
}

/** Plays it; returns the times of all attempts since the death, in ms. */
async function herd(t: Test, clients: number, options: RoomChannelOptions): Promise<number[]> {
  const clock = new Wheel()
  const sinks = new Set<CarrierSink>()
  let attempts: number[] = []
  let died = 0
  let isDead = false
  const carrier = (sink: CarrierSink): Carrier => ({
    isOpen: true,
    open() {
      attempts.push(clock.now() - died)
      if (isDead) return sink.closed()
      sinks.add(sink)
      sink.opened()
    },
    send: () => true,
    close: () => sink.closed(1000),
    abort() {},
  })
  const world = {
    carrier,
    now: () => clock.now(),
    after: (delay: number, callback: () => void) => clock.after(delay, callback),
    log() {},
  }
  const given = { auto_reconnect: true, connect_timeout: Infinity, ...options }
  const values = channelValues(given, [])
  const sessions = Array.from({ length: clients }, () => new RoomSession('ws://a', values, world))
  for (const session of sessions) await session.connect()
  t.equal(sinks.size, clients)

  clock.advance(60_000)
  died = clock.now()
  isDead = true
  attempts = []
  for (const sink of sinks) sink.closed()
  sinks.clear()
  clock.advance(DEAD)

  isDead = false
  clock.advance(31_000)
  t.equal(sinks.size, clients, 'all of them are back after the longest wait')
  for (const session of sessions) await session.close(1000, '')
  t.equal(clock.pending, 0)
  return attempts
}

t.before(() => {
  const random = seeded(7)
  const { random: before } = Math
  Math.random = () => random(2 ** 20) / 2 ** 20
  const { stackTraceLimit } = Error
  // There are hundreds of thousands of errors.
  Error.stackTraceLimit = 0
  t.teardown(() => Object.assign(Error, { stackTraceLimit }))
  t.teardown(() => (Math.random = before))
})

t.test('a herd, stage by stage', async t => {
  const attempts = await herd(t, CLIENTS, {})
  for (let from = 0, length = 1000; from < DEAD; length = Math.min(30_000, 2 * length)) {
    const counts = counted(attempts, from, from + length, length / PARTS)
    const [peak, usual] = [Math.max(...counts), mean(counts)]
    t.ok(peak < 2 * usual, `${from} ms: at most ${peak}, ${usual} on average`)
    from += length
  }
  const late = counted(attempts, 60_000, DEAD, 1000)
  t.ok(
    Math.max(...late) < 1.5 * mean(late),
    `when waits grow no more: at most ${Math.max(...late)} a second, ${mean(late)} on average`,
  )
  const back = counted(attempts, DEAD, DEAD + 31_000, 1000)
  t.ok(Math.max(...back) < (2 * CLIENTS) / 15, `at most ${Math.max(...back)} a second`)
})

t.test('a herd whose first wait is half of the longest', async t => {
  const counts = counted(await herd(t, 1000, { reconnect_delay: 15_000 }), 0, DEAD, 1000)
  const [peak, usual] = [Math.max(...counts), mean(counts)]
  t.ok(peak < 2 * usual, `at most ${peak} a second, ${usual} on average`)
})
