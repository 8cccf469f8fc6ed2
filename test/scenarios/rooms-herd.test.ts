/**
 * 10 000 clients of one room server, each a real session, on one clock. The server dies; for
 * three minutes every attempt is refused; then it is there again.
 */

import t from 'tap'
import type { Carrier, CarrierSink } from '../../src/rooms/client/carrier.ts'
import { channelValues } from '../../src/rooms/client/channel-options.ts'
import { Session } from '../../src/rooms/client/session.ts'
import { seeded } from '../core/oracle.ts'

const CLIENTS = 10_000
const DEAD_SECONDS = 180
const ALL_LONG = 120

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

t.test('a herd', async t => {
  const random = seeded(7)
  const { random: before } = Math
  Math.random = () => random(2 ** 20) / 2 ** 20
  const { stackTraceLimit } = Error
  // There are hundreds of thousands of errors.
  Error.stackTraceLimit = 0
  t.teardown(() => Object.assign(Error, { stackTraceLimit }))
  t.teardown(() => (Math.random = before))
  const clock = new Wheel()
  const sinks = new Set<CarrierSink>()
  const attempts: number[] = []
  let isDead = false

  const carrier = (sink: CarrierSink): Carrier => ({
    isOpen: true,
    open() {
      const second = Math.floor(clock.now() / 1000)
      attempts[second] = (attempts[second] ?? 0) + 1
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
  const values = channelValues({ auto_reconnect: true, connect_timeout: Infinity }, [])
  const sessions = Array.from({ length: CLIENTS }, () => new Session('ws://a', values, world))
  for (const session of sessions) await session.connect()
  t.equal(sinks.size, CLIENTS)

  clock.advance(60_000)
  const died = Math.floor(clock.now() / 1000)
  isDead = true
  attempts.length = 0
  for (const sink of sinks) sink.closed()
  sinks.clear()
  for (let second = 0; second < DEAD_SECONDS; second++) clock.advance(1000)
  const counts = Array.from({ length: DEAD_SECONDS }, (_, second) => attempts[died + second] ?? 0)
  t.ok(counts[0]! < 1.5 * CLIENTS, `${counts[0]} in the first second`)
  // After two minutes the waits of all have reached their bound.
  const late = counts.slice(ALL_LONG)
  const mean = late.reduce((sum, count) => sum + count, 0) / late.length
  const peak = Math.max(...late)
  t.ok(peak < 2 * mean, `at most ${peak} a second, ${mean} on average`)

  isDead = false
  for (let second = 0; second < 31; second++) clock.advance(1000)
  t.equal(sinks.size, CLIENTS, 'all of them are back after the longest wait')
  const back = attempts.slice(died + DEAD_SECONDS)
  t.ok(Math.max(...back) < (2 * CLIENTS) / 15, `at most ${Math.max(...back)} a second`)
  for (const session of sessions) await session.close(1000, '')
  t.equal(clock.pending, 0)
})
