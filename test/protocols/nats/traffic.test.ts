/** Messages over connections that come and go, by a wire that writes down what it is given. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import { DRIVE } from '../../../src/engine.ts'
import { NatsError } from '../../../src/protocols/nats/errors.ts'
import { NATS_DEFAULTS, type NatsValues } from '../../../src/protocols/nats/nats-settings.ts'
import { payloadTooLarge, sizeOf, Traffic } from '../../../src/protocols/nats/traffic.ts'
import type { Wire } from '../../../src/protocols/nats/wire.ts'
import { fate, scene, turn, type World } from '../../kit.ts'
import { message } from './kit.ts'

class FakeWire {
  isReady = true
  readonly news: string[] = []
  readonly info = { max_payload: 10, headers: true }
  outcome: boolean | undefined = true
  readonly pong = deferred<void>()

  publish(subject: string, reply: string, _header: unknown, data: string): boolean | undefined {
    this.news.push(`${subject} ${reply} ${data}`)
    return this.outcome
  }

  line(text: string): void {
    this.news.push(text.trim())
  }

  write(bytes: Buffer): void {
    this.news.push(String(bytes).trim().replace('\r\n', '|'))
  }

  roundTrip(): Promise<void> {
    return this.pong.promise
  }
}

function make(
  world: World,
  values: Partial<NatsValues> = {},
): { traffic: Traffic; wire: FakeWire; asWire: Wire; told: string[] } {
  const told: string[] = []
  const traffic = new Traffic({
    values: { ...NATS_DEFAULTS, ...values },
    drive: world.engine[DRIVE],
    report: ({ code }: NatsError) => told.push(code),
    slow: ({ sid }) => told.push(`slow ${sid}`),
    handlerFailed: error => told.push(String(error)),
  })
  const wire = new FakeWire()
  return { traffic, wire, asWire: wire as unknown as Wire, told }
}

/** A request that could not be sent waited for its timeout, and one that had timed out was sent. */
scene(t, 'requests that wait for a connection', async (t, world) => {
  const { traffic, wire, asWire, told } = make(world, { queue_size: 180 })
  const ask = (subject: string, data: string, header?: Buffer, timeout = 50) =>
    traffic.request(subject, header, data, timeout)
  const late = ask('a', '1', undefined, 5)
  const full = ask('a', 'x'.repeat(110))
  await world.advance(5)
  t.same(
    [await fate(late), await fate(full)],
    ['rejected ERR_NATS_TIMEOUT', 'rejected ERR_NATS_OVERFLOW'],
  )
  const all = [ask('b', 'x'.repeat(11)), ask('c', '3', Buffer.from('x')), ask('d', '4')]
  traffic.publish('e', '', Buffer.from('x'), '5')
  wire.info.headers = false
  traffic.goBy(asWire)
  t.same(await Promise.all(all.map(each => fate(each))), [
    'rejected ERR_NATS_MAX_PAYLOAD',
    'rejected ERR_NATS_UNSUPPORTED',
    'open',
  ])
  t.match(wire.news.splice(0), [/^SUB/, /^PUB d _INBOX\S+ 1\|4$/])
  t.same(told, ['ERR_NATS_OVERFLOW', 'ERR_NATS_UNSUPPORTED'])
  await world.advance(50)
  t.equal(await fate(all[2]!), 'rejected ERR_NATS_TIMEOUT')
  traffic.stop(undefined)
})

scene(t, 'out: at once, or when there is a connection', async (t, world) => {
  const { traffic, wire, asWire, told } = make(world, { queue_size: 45 })
  const header = Buffer.from('0123456789')
  t.same(
    [
      traffic.publish('a', '', undefined, '1'),
      traffic.publish('b', 'r', header, '2'),
      traffic.publish('c', '', undefined, 'x'.repeat(40)),
      traffic.publish('d', '', undefined, 'x'.repeat(40)),
    ],
    ['waits', 'waits', 'dropped', 'dropped'],
  )
  t.same([told, traffic.hasQueued], [['ERR_NATS_OVERFLOW'], true])
  traffic.goBy(asWire)
  t.same(wire.news.splice(0), ['PUB a 1|1'])
  t.same([told.slice(1), traffic.hasQueued], [['ERR_NATS_MAX_PAYLOAD'], false])
  t.equal(traffic.publish('e', '', undefined, '5'), 'sent')
  wire.outcome = false
  t.equal(traffic.publish('e', '', undefined, '6'), 'full')
  wire.outcome = undefined
  t.equal(traffic.publish('e', '', undefined, '7'), 'dropped')
  traffic.overflowed()
  traffic.overflowed()
  traffic.emptied()
  traffic.overflowed()
  t.same(told.slice(2), ['ERR_NATS_OVERFLOW', 'ERR_NATS_OVERFLOW'])
  wire.isReady = false
  t.equal(traffic.publish('f', '', undefined, '8'), 'waits')
})

scene(t, 'in: subscriptions are restored, with what is left of them', async (t, world) => {
  const { traffic, wire, asWire, told } = make(world, { pending_size: 1 })
  const got: string[] = []
  const one = traffic.subscribe('a', 'g', ({ text }) => void got.push(text))
  const few = traffic.subscribe('b', '', () => {
    throw new Error('no')
  })
  few.unsubscribe(2)
  traffic.subscribe('c', '', undefined, 3)
  traffic.subscribe('d', '', undefined, Infinity).unsubscribe()
  traffic.goBy(asWire)
  t.same(wire.news.splice(0), ['SUB a g 1', 'SUB b 2', 'UNSUB 2 2', 'SUB c 3', 'UNSUB 3 3'])
  traffic.deliver(message('a', 'x', 1))
  traffic.deliver(message('b', 'y', 2))
  traffic.deliver(message('c', 'z', 3))
  traffic.deliver(message('d', 'z', 4))
  t.same([got, told], [['x'], ['Error: no', 'slow 3']])
  one.unsubscribe()
  traffic.subscribe('e', '', undefined)
  traffic.withdrawFrom(asWire)
  t.same(wire.news.splice(0), ['UNSUB 1', 'SUB e 5', 'UNSUB 2', 'UNSUB 3', 'UNSUB 5'])
  traffic.wait()
  traffic.goBy(asWire)
  t.same(wire.news.splice(0), ['SUB b 2', 'UNSUB 2 1', 'SUB c 3', 'UNSUB 3 2', 'SUB e 5'])
  const error = new NatsError('ERR_NATS_PERMISSION', 'no')
  traffic.refused('e', error)
  traffic.refused('zzz', error)
  t.match(traffic.subscribe('f', '', undefined).isOpen, true)
})

scene(t, 'requests, and draining', async (t, world) => {
  const { traffic, wire, asWire } = make(world)
  traffic.goBy(asWire)
  const first = traffic.request('q', undefined, '1', 100)
  const inbox = wire.news[1]!.split(' ')[1]!
  t.match(wire.news, [/^SUB _INBOX\.[\da-f]{22}\.\* 1$/, /^q _INBOX\.[\da-f]{22}\.1 1$/])
  traffic.deliver(message(inbox, 'answer'))
  t.equal((await first).text, 'answer')
  const lost = traffic.request('q', undefined, '2', 100)
  traffic.wait(new Error('lost'))
  t.equal(await fate(lost), 'rejected lost')
  traffic.wait()
  traffic.goBy(asWire)
  const last = traffic.request('q', undefined, '3', 100)
  const one = traffic.subscribe('a', '', () => {})
  wire.news.splice(0)
  const drained = traffic.drain()
  await turn()
  t.same([wire.news, await fate(drained)], [['UNSUB 2'], 'open'])
  traffic.goBy(asWire)
  t.match(wire.news.slice(1), [/^SUB _INBOX/], 'one that leaves is not restored')
  wire.pong.reject(new Error('lost'))
  await one.closed.promise
  traffic.deliver(message(inbox.replace(/1$/, '3'), 'late'))
  t.equal((await last).text, 'late')
  await drained
  await make(world).traffic.drain()
  const other = make(world).traffic
  other.subscribe('a', '', undefined)
  await other.drain()
  // What waits in a subscription that has ended: it has nothing to do with the server any more.
  const ended = traffic.subscribe('e', '', undefined, 1)
  traffic.deliver(message('e', 'x', ended.sid))
  wire.news.splice(0)
  traffic.refused('e', new Error('no') as NatsError)
  traffic.withdrawFrom(asWire)
  traffic.goBy(asWire)
  t.notMatch(wire.news.join(), new RegExp(`SUB.* ${ended.sid}`))
  t.equal(ended.waiting, 1)
})

scene(t, 'the end', async (t, world) => {
  const { traffic } = make(world)
  const answer = traffic.request('q', undefined, '', Infinity)
  const one = traffic.subscribe('a', '', undefined)
  traffic.stop(undefined)
  t.equal(await fate(answer), 'rejected ERR_NATS_CLOSED')
  await one.closed.promise
  t.equal(traffic.hasQueued, false)
  const again = traffic.request('q', undefined, '', Infinity)
  traffic.stop(new Error('why'))
  t.equal(await fate(again), 'rejected why')
  await make(world).traffic.drained(traffic.subscribe('b', '', undefined))
})

t.test('sizes', async t => {
  t.same([sizeOf(undefined, 'ä'), sizeOf(Buffer.alloc(3), Buffer.alloc(4))], [2, 7])
  t.match(payloadTooLarge(5, 4), { code: 'ERR_NATS_MAX_PAYLOAD', message: /5 bytes.*at most 4/ })
})
