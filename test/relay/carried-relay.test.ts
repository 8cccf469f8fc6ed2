/** What every relay does, over a carrier that writes down what it is asked. */

import t from 'tap'
import type { Engine } from '../../src/engine.ts'
import { CarriedRelay, type Carrier } from '../../src/relay/carried-relay.ts'
import { Subscribers } from '../../src/relay/listeners.ts'
import { RelayError, type RelayHistory } from '../../src/relay/relay.ts'
import { RelayLine } from '../../src/relay/relay-line.ts'
import { RelayPresence } from '../../src/relay/relay-presence.ts'
import { fate, scene, thrown } from '../kit.ts'

const AWAY = 'rejected ERR_RELAY_UNAVAILABLE'
const REFUSED = 'rejected ERR_RELAY_REFUSED'
const CLOSED = 'rejected ERR_RELAY_CLOSED'

class Members extends RelayPresence {
  async store(): Promise<void> {}
  async listen(topic: string): Promise<void> {
    this.tell(topic, ['ann'], [], [])
  }
  unlisten(): void {}
}

class Written implements Carrier {
  readonly asked: string[] = []
  readonly line: RelayLine
  readonly presence: Members
  readonly subscribers: Subscribers
  isRefused = false

  constructor(engine: Engine) {
    this.line = new RelayLine(engine, 'Test')
    this.presence = new Members(engine, this.line)
    this.subscribers = new Subscribers(engine)
  }

  publish(topic: string, bytes: Buffer): boolean {
    return this.asked.push(`publish ${topic} ${bytes}`) < 3
  }

  async subscribe(topic: string): Promise<void> {
    this.asked.push(`subscribe ${topic}`)
    if (this.isRefused) throw new RelayError('ERR_RELAY_REFUSED', 'no')
  }

  unsubscribe(topic: string): void {
    this.asked.push(`unsubscribe ${topic}`)
  }

  async append(topic: string, bytes: Buffer): Promise<number> {
    return this.asked.push(`append ${topic} ${bytes}`)
  }

  async read(topic: string, seq: number, limit: number): Promise<RelayHistory> {
    this.asked.push(`read ${topic} ${seq} ${limit}`)
    return { entries: [], first: 1, last: 0 }
  }

  async close(): Promise<void> {
    this.line.over()
  }
}

scene(t, 'what its carrier is asked, and when', async (t, { engine }) => {
  const carrier = new Written(engine)
  const relay = new CarriedRelay(carrier)
  t.equal(relay.publish('x', 'early'), false)
  const appended = relay.append('x', Buffer.from('1'))
  t.equal(await fate(relay.append('x', Buffer.alloc(2 ** 24))), AWAY)
  t.same(carrier.asked.splice(0), [])
  carrier.line.arrived()
  await relay.opened
  t.equal(await appended, 1)
  void relay.append('x', '2')
  t.equal(relay.publish('x', '3'), false, 'the carrier has dropped it')
  t.same(carrier.asked.splice(0), ['append x 1', 'append x 2', 'publish x 3'])
  await relay.read_after('x', 0)
  await relay.read_after('x', 5, 6)
  t.same(carrier.asked.splice(0), ['read x 0 1000', 'read x 5 6'])
  await relay.present('x', 'ann')
  await relay.absent('x', 'ann')
  const came: string[] = []
  const watcher = (names: readonly string[]): void => void came.push(...names)
  await relay.watch('x', watcher)
  relay.unwatch('x', watcher)
  t.same(came, ['ann'])
  await relay.close()
  t.equal(relay.publish('x', 'late'), false)
  t.equal(await fate(relay.append('x', 'late')), CLOSED)
})

scene(t, 'subscribers: added once, and taken out again if refused', async (t, { engine }) => {
  const carrier = new Written(engine)
  const relay = new CarriedRelay(carrier)
  carrier.line.arrived()
  const heard: string[] = []
  const [one, two] = ['one', 'two'].map(name => (bytes: Buffer): void => {
    heard.push(`${name} ${bytes}`)
  })
  await relay.subscribe('x', one!)
  await relay.subscribe('x', one!, {})
  carrier.isRefused = true
  t.equal(await fate(relay.subscribe('x', two!)), REFUSED)
  carrier.subscribers.call('x', Buffer.from('1'), undefined)
  t.same(heard, ['one 1'])
  carrier.asked.length = 0
  relay.unsubscribe('x', two!)
  relay.unsubscribe('x', one!)
  t.same(carrier.asked, ['unsubscribe x'])
  await relay.close()
})

// A rejection that nobody awaited ended the process if the relay was in memory.
scene(t, 'REGRESSION: its promises need not be looked at', async (t, { engine, pump }) => {
  const relay = new CarriedRelay(new Written(engine))
  await relay.close()
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  const no = undefined as never
  void relay.append('x', no)
  void relay.append('x', '')
  void relay.subscribe('x', () => {})
  void relay.read_after('x', -1)
  void relay.present('x', no)
  void relay.absent('x', 'ann')
  void relay.watch('x', () => {})
  await pump()
  process.off('unhandledRejection', note)
  t.same(unhandled, [])
  t.equal(
    thrown(() => relay.unsubscribe('x', no)),
    'ERR_INVALID_ARGUMENT',
  )
})
