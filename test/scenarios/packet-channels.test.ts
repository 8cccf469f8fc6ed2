/** The suite of PacketChannel over every kind of URL that a WebsocketChannel takes. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { TrickleNetwork } from '../../src/io/trickle.ts'
import { Context } from '../../src/messages/context.ts'
import { check_packet_channel } from '../../src/packets/channel/conformance.ts'
import type { ConformanceFixture } from '../../src/packets/channel/conformance-probe.ts'
import { WebsocketChannel } from '../../src/packets/channel/websocket-channel.ts'
import { MockServer } from '../../src/packets/mocks/mock-server.ts'
import { until } from '../kit.ts'

const socket = join(tmpdir(), `sluice-packets-${process.pid}`)

const URLS: readonly string[] = [
  'mem://;mode=server',
  'tcp://127.0.0.1:0;mode=server',
  `unix://${socket};mode=server`,
  'ws://127.0.0.1:0/socket;mode=server',
  'ws://127.0.0.1:0;mode=server;deflate=yes',
]

const log = (): void => {}

/** Everything that has to do with one engine. */
async function check(url: string, engine: Engine): Promise<readonly string[]> {
  const context = new Context({ engine })
  const server = new MockServer({ context, url })
  const client = await server.open()
  const make =
    (to: string): ConformanceFixture['make'] =>
    (...callbacks) =>
      new WebsocketChannel('channel', ...callbacks, to, {
        context,
        backoff: { first: 5, longest: 20 },
        lost: { max_attempts: to === client ? Infinity : 3 },
        on_error: log,
      })
  const nowhere = url.startsWith('mem') ? 'tcp://127.0.0.1:1' : client.replace(/:\d+|-\d+/, ':1')
  const report = check_packet_channel({
    make: make(client),
    make_hopeless: make(nowhere),
    received: () => server.packets.map(packet => packet.to_sendable_dict()),
    // Over mem://, a channel may be alive before its server has heard of it.
    push: async dict => {
      await until(() => server.subs > 0)
      server.send(JSON.stringify(dict))
    },
    drop: () => server.close(),
    restore: () => server.open(),
    engine,
    timeout: 30_000,
    quiet: 10,
  })
  const { passed, skipped } = await report.finally(() => server.close())
  return [...passed.map(({ rule }) => rule), ...skipped.map(({ why }) => why)]
}

for (const url of URLS)
  t.test(url.replace(socket, '/path'), async t => {
    const engine = new Engine({ log })
    const rules = await check(url, engine)
    t.equal(rules.length, 12, rules.join('; '))
    await engine.stop()
  })

/** Runs a promise on a clock that stands, by moving it. */
async function driven<Value>(
  promise: Promise<Value>,
  clock: ManualClock,
  pump: () => void,
): Promise<Value> {
  let isOver = false
  void promise.then(
    () => (isOver = true),
    () => (isOver = true),
  )
  while (!isOver) {
    await new Promise(setImmediate)
    pump()
    clock.advance(1)
  }
  return promise
}

for (const kind of ['memory', 'trickle'] as const)
  t.test(`ws:// over the network ${kind}`, async t => {
    const memory = new MemoryNetwork()
    const clock = new ManualClock()
    const network = kind === 'memory' ? memory : new TrickleNetwork(memory)
    const engine = new Engine({ network, clock, log })
    const pump = (): void => void memory.pump()
    const rules = await driven(check('ws://127.0.0.1:0;mode=server', engine), clock, pump)
    t.equal(rules.length, 12, rules.join('; '))
    await driven(engine.stop({ timeout: 1 }), clock, pump)
  })
