/** The heartbeat, on a clock that is moved by hand. */

import t from 'tap'
import { Heartbeat } from '../../../src/core/time/heartbeat.ts'
import { DRIVE, Engine } from '../../../src/engine.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'

function made() {
  const clock = new ManualClock()
  const engine = new Engine({ clock, network: new MemoryNetwork() })
  const log: string[] = []
  const owner = {
    ping_interval: 1000,
    pong_timeout: 500,
    bytes_read: 0,
    isDeaf: false,
    ping: (): void => void log.push('ping'),
    silent: () => void log.push('silent'),
  }
  const heartbeat = new Heartbeat(owner, engine[DRIVE])
  const after = (ms: number): string => {
    for (let passed = 0; passed < ms; passed += 10) clock.advance(10)
    return log.splice(0).join(' ')
  }
  return { owner, heartbeat, after, clock }
}

t.test('a silent peer is asked, and noticed', async t => {
  const { after, heartbeat, clock } = made()
  t.equal(after(900), '')
  t.equal(after(300), 'ping')
  t.equal(after(200), '')
  t.equal(after(500), 'silent')
  t.equal(after(900), 'ping', 'it goes on if nobody closes')
  heartbeat.stop()
  t.equal(after(3000), '')
  t.equal(clock.pending, 0)
})

t.test('whatever comes is a sign of life', async t => {
  const { owner, after } = made()
  t.equal(after(1200), 'ping')
  owner.bytes_read++
  t.equal(after(1300), '')
  t.equal(after(400), 'ping')
})

t.test('while reads are held nobody is asked', async t => {
  const { owner, after } = made()
  owner.isDeaf = true
  t.equal(after(5000), '')
  owner.isDeaf = false
  t.match(after(1300), /^ping/)
})

t.test('stopped in the middle of a look', async t => {
  const { owner, heartbeat, after } = made()
  owner.ping = () => heartbeat.stop()
  t.equal(after(3000), '')
})
