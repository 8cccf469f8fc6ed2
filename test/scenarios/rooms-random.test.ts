/**
 * Random calls of a program, and a connection that does what it likes, on one channel. Whatever
 * happens: one connection at a time; on each new one joins come first; messages go out in their
 * order, each at most once; every promise settles; after close() nothing is left.
 */

import t, { type Test } from 'tap'
import { ChannelError } from '../../src/errors.ts'
import type { RoomChannelOptions } from '../../src/rooms/client/channel-options.ts'
import { RoomChannel } from '../../src/rooms/client/room-channel.ts'
import { seeded } from '../core/oracle.ts'
import { turn } from '../kit.ts'
import { type FakeCarrier, FakeWorld } from '../rooms/client/kit.ts'

class Channel extends RoomChannel {
  constructor(world: FakeWorld, options: RoomChannelOptions) {
    super('ws://a', options, [], () => ({
      carrier: sink => world.carrier(sink),
      now: () => world.now(),
      after: (delay, callback) => world.after(delay, callback),
      log: message => world.logError(message),
    }))
  }
}

/** What a hostile server says. */
const NASTY = [
  '',
  '{',
  'null',
  '[]',
  '{"_room":5}',
  '{"_room":"a","_seq":1}',
  '{"_room":"a","_seq":-1}',
  '{"_room":"a","_seq":9007199254740991}',
  '{"_room":"__proto__","_seq":3,"__proto__":{"a":1}}',
  '{"room":"constructor"}',
  '{"status":"joined","room":"a","seq":5,"client":"c"}',
  '{"status":"joined","room":"a","seq":1e99}',
  '{"status":"joined","room":"nowhere","seq":5}',
  '{"status":"left","room":"b"}',
  '{"status":"refused","room":"a","reason":{"toString":5}}',
  '{"status":"gap","room":"a","from":9,"to":3}',
  '{"status":"gap","room":"a","from":1,"to":9007199254740991}',
  '{"status":"seen","room":"b","seq":12}',
  '{"status":"presence","room":"a","came":["x","x","y"],"went":["x"]}',
  '{"status":"presence","room":"a","came":{"length":1e9},"went":[]}',
  '{"status":"dropped","reason":null}',
  '{"status":"closing","code":1008,"reason":7}',
  '{"status":"closing","code":0}',
  Uint8Array.of(255, 0),
]

const ROOMS = ['a', 'b', '__proto__', 'constructor']

async function run(t: Test, seed: number): Promise<void> {
  const random = seeded(seed)
  const chance = (one: number): boolean => random(one) === 0
  const pick = <Value>(from: readonly Value[]): Value => from[random(from.length)] as Value
  const world = new FakeWorld()
  const channel = new Channel(world, {
    auto_reconnect: chance(2),
    max_queued: 5,
    max_queued_age: 20_000,
    max_reconnect_attempts: pick([null, 2]),
  })
  const ended = new Set<FakeCarrier>()
  const promises: Promise<unknown>[] = []
  const faults: string[] = []
  const closes: unknown[] = []
  let sent = 0
  let depth = 0

  const watch = (promise: Promise<unknown>): void => {
    promises.push(
      promise.catch((error: unknown) => {
        if (!(error instanceof ChannelError)) faults.push(`rejected with ${String(error)}`)
      }),
    )
  }
  const call = (): void => {
    switch (random(9)) {
      case 0:
        return watch(channel.connect())
      case 1:
        return chance(4) ? watch(channel.close(pick([1000, 3000, 5]), 'bye')) : undefined
      case 2:
        return watch(channel.join(pick(ROOMS), pick([{}, { seq: 0 }, { seq: 5 }])))
      case 3:
        return watch(channel.leave(pick(ROOMS)))
      case 4:
        return watch(channel.send(pick([undefined, Symbol('s'), () => 1, { a: 1n }]), 'a'))
      case 5:
        return channel.clear_room_handlers(pick([undefined, 'a']))
      default:
        return watch(channel.send({ id: sent++ }, pick([undefined, 'a'])))
    }
  }
  const handler = (): unknown => {
    if (chance(8) && depth < 3) {
      depth++
      call()
      depth--
    }
    if (chance(16)) throw new Error('of a handler')
    return chance(16) ? Promise.reject(new Error('of a promise')) : undefined
  }
  channel.on_open(handler)
  channel.on_close(event => {
    closes.push(event)
    return handler()
  })
  channel.on_message(handler)
  channel.on_error(handler)
  channel.on_gap(handler)
  channel.on_presence(handler)
  channel.on_reconnecting(handler)
  const cancel = channel.state_signal.subscribe(handler)

  const event = (): void => {
    const carrier = pick(world.carriers)
    if (carrier === undefined || ended.has(carrier)) return
    const end = (...args: [code?: number, reason?: string]): void => {
      ended.add(carrier)
      carrier.isOpen = false
      carrier.sink.closed(...args)
    }
    switch (random(8)) {
      case 0:
        return carrier.sink.opened()
      case 1:
        carrier.sink.failed(new Error('of the connection'))
        return end()
      case 2:
        return chance(2) ? end(pick([1000, 1001, 1006, 1008]), 'why') : undefined
      case 3:
        carrier.room = pick([true, false, new Error('of a send')])
        return undefined
      case 4:
        return carrier.room === true ? carrier.sink.drained() : undefined
      default:
        return carrier.sink.received(pick(NASTY))
    }
  }

  for (let step = 0; step < 200; step++) {
    pick([call, event, event, () => world.clock.advance(random(5000))])()
    if (chance(4)) channel.on_room_message('a', handler)
    if (chance(4)) await turn()
  }
  for (const carrier of world.carriers) carrier.room = true
  channel.clear_handlers()
  cancel()
  // A connect() that waits for close() connects after it.
  for (let i = 0; i < 3; i++) {
    const closed = channel.close()
    world.clock.advance(5000)
    await closed
    await turn()
  }
  await Promise.all(promises)
  t.same([channel.state, world.clock.pending, faults], ['closed', 0, []], `seed ${seed}`)
  const ids = world.log.flatMap(line => {
    const [, id] = /"id":(\d+)/.exec(line) ?? []
    return id === undefined ? [] : [Number(id)]
  })
  t.same(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
    `in their order, and each once: seed ${seed}`,
  )
}

t.test('random calls', async t => {
  const seeds = Number(process.env['SEEDS'] ?? 150)
  for (let seed = 1; seed <= seeds; seed++) await run(t, seed)
})
