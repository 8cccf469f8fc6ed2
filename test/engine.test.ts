/** The engine: its parts, its timers and turns, starting and stopping. */

import { inspect } from 'node:util'
import { getHeapStatistics } from 'node:v8'
import t from 'tap'
import { Client, Connection, Server } from '../src/channels/basic.ts'
import { Datagram } from '../src/channels/datagrams/datagram.ts'
import { LIFE, type Owned } from '../src/core/drive.ts'
import { DRIVE, Engine, logSafely } from '../src/engine.ts'
import { ManualClock } from '../src/io/manual-clock.ts'
import { MemoryNetwork } from '../src/io/memory/network.ts'
import { nodeFiles, NodeNetwork, nodeTls } from '../src/io/node.ts'
import { TrickleNetwork } from '../src/io/trickle.ts'
import type { Files, Network, Tls } from '../src/transport.ts'
import { fate, scene, spy, thrown, turn } from './kit.ts'

/** An engine on a clock that stands. */
function timed() {
  const clock = new ManualClock()
  const logged: string[] = []
  const engine = new Engine({ clock, log: message => logged.push(message) })
  return { clock, logged, engine, log: [] as unknown[] }
}

t.test('parts', async t => {
  const engine = Engine.instance()
  t.equal(Engine.instance(), engine)
  t.not(new Engine(), engine)
  t.equal(engine.channels.size, 0)
  t.ok(engine[DRIVE].network instanceof NodeNetwork)
  const before = performance.now()
  t.ok(engine.now >= before && engine.now <= performance.now())
  const network = new MemoryNetwork()
  t.equal(new Engine({ network })[DRIVE].network, network)
  t.equal(new Engine({ clock: new ManualClock(42) }).now, 42)
  const lines = t.capture(console, 'error', () => {})
  engine.log('a message', new Error('kept back'))
  t.same(
    lines().map(({ args }) => args),
    [['a message']],
  )
})

t.test('invalid parts are refused', async t => {
  for (const options of [
    null,
    5,
    'tcp',
    { network: {} },
    { network: null },
    { clock: {} },
    { clock: null },
    { log: 'a file' },
    { log: null },
  ]) {
    t.equal(
      thrown(() => new Engine(options as never)),
      'ERR_INVALID_ARGUMENT',
      JSON.stringify(options),
    )
  }
})

// It was the inner half, with all that it is made of.
t.test('what console.log shows', async t => {
  t.equal(inspect(new Engine()), 'Engine { channels: Set(0) {} }')
})

// `engine.log = console`: from then on every error was lost.
t.test('a log that is no function is refused', async t => {
  const { engine, logged } = timed()
  for (const log of [console, undefined, null, 'file'])
    t.throws(() => Object.assign(engine, { log }), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^engine: log must be a function \(message, error\); got /,
    })
  engine.log('still there')
  t.same(logged, ['still there'])
  const lines: string[] = []
  engine.log = message => lines.push(message)
  engine.log('moved')
  t.same(lines, ['moved'])
})

t.test('callback', async t => {
  const { clock, engine, log, logged } = timed()
  engine.callback((...values) => log.push(values), 1, 'two')
  engine.callback(() => {
    log.push('outer')
    engine.callback(() => log.push('inner'))
  })
  const cancel = engine.callback(() => log.push('cancelled'))
  const cancelOther = engine.callback(() => cancelLater())
  const cancelLater = engine.callback(() => log.push('cancelled by another'))
  cancel()
  cancel()
  t.same(log, [], 'not in the call')
  clock.advance(0)
  t.same(log, [[1, 'two'], 'outer', 'inner'])
  cancelOther()
  t.equal(clock.pending, 0)
  // In the next turn, as in Pants: a callback that asks for itself does not keep sockets waiting.
  const turns: (() => void)[] = []
  const slow = new Engine({
    clock: { now: () => 0, after: () => () => {}, soon: turn => turns.push(turn) },
  })
  slow.callback(() => slow.callback(() => log.push('second turn')))
  turns.shift()!()
  t.not(log.at(-1), 'second turn')
  turns.shift()!()
  t.equal(log.at(-1), 'second turn')
  t.same(logged, [])
})

// Only real promises were looked at: the rejection of a thenable was silently lost.
t.test('a callback that returns a thenable, which rejects', async t => {
  const { clock, engine, logged } = timed()
  const rejected = (): void =>
    ({
      then: (_: unknown, reject: (error: Error) => void) => reject(new Error('no promise')),
    }) as unknown as void
  engine.callback(rejected)
  engine.defer(5, rejected)
  clock.advance(5)
  await turn()
  t.match(logged, [/^timer: Error: no promise\n/, /^timer: Error: no promise\n/])
})

t.test('loop', async t => {
  const turns: (() => void)[] = []
  const log: string[] = []
  const engine = new Engine({
    clock: { now: () => 0, after: () => () => {}, soon: turn => turns.push(turn) },
    log: message => log.push(message),
  })
  let count = 0
  const cancelOne = engine.loop(word => log.push(word), 'one')
  const cancelTwo = engine.loop(() => {
    log.push('two')
    if (++count === 2) {
      cancelTwo()
      cancelThree()
    }
  })
  const cancelThree = engine.loop(() => log.push('three'))
  t.equal(turns.length, 1, 'one turn for all')
  turns.shift()!()
  turns.shift()!()
  turns.shift()!()
  t.same(log, ['one', 'two', 'three', 'one', 'two', 'one'])
  cancelOne()
  cancelOne()
  turns.shift()!()
  t.equal(log.length, 6)
  t.equal(turns.length, 0, 'it rests')
})

t.test('defer and cycle', async t => {
  const { clock, engine, log, logged } = timed()
  engine.defer(20, (...values) => log.push(values), 'a', 1)
  engine.defer(10, () => log.push('first'))
  engine.defer(0.25, () => log.push(`below 1 counts as 1: ${engine.now}`))
  const cancel = engine.defer(15, () => log.push('cancelled'))
  cancel()
  cancel()
  clock.advance(100)
  t.same(log.splice(0), ['below 1 counts as 1: 1', 'first', ['a', 1]])
  cancel()
  t.equal(clock.pending, 0, 'nothing waits for a timer that is not there')

  const stop = engine.cycle(
    10,
    (word: string) => {
      log.push(`${word} ${engine.now}`)
      if (log.length === 3) stop()
    },
    'tick',
  )
  clock.advance(35)
  clock.advance(100)
  t.same(
    log.splice(0),
    ['tick 110', 'tick 120', 'tick 130'],
    'cancelled from inside (the original goes on)',
  )
  t.equal(clock.pending, 0)

  const fast = engine.cycle(0.001, () => log.push('fast'))
  clock.advance(3)
  fast()
  t.equal(log.splice(0).length, 3)

  engine.defer(1e300, () => log.push('never'))
  engine.defer(5, () => log.push('soon'))
  clock.advance(1e9)
  t.same(log, ['soon'])
  t.same(logged, [])
})

t.test('runs that were missed are left out, and the others keep their time', async t => {
  let now = 0
  let due: (() => void) | undefined
  const engine = new Engine({
    clock: {
      now: () => now,
      after: (_delay, callback) => ((due = callback), () => (due = undefined)),
      soon: () => {},
    },
  })
  const runs: number[] = []
  engine.cycle(10, () => runs.push(now))
  for (const late of [13, 20, 57, 60]) {
    now = late
    due!()
  }
  t.same(runs, [13, 20, 57, 60])
})

t.test('the clock is asked for one timer at a time', async t => {
  const { clock, engine, log } = timed()
  const cancels = Array.from({ length: 1000 }, (_, n) => engine.defer(1000 - n, () => log.push(n)))
  t.equal(clock.pending, 1)
  for (const cancel of cancels.slice(1)) cancel()
  t.equal(clock.pending, 1)
  clock.advance(1000)
  t.same(log, [0])
  t.equal(clock.pending, 0)
  for (let n = 0; n < 10; n++) engine.defer(5, () => {})()
  t.equal(clock.pending, 0, 'the last one cancelled, nothing keeps the process alive')
})

t.test('an invalid callback or delay is refused', async t => {
  const { engine } = timed()
  for (const callback of [undefined, null, 'code', {}]) {
    for (const call of ['callback', 'loop'] as const)
      t.equal(
        thrown(() => engine[call](callback as never)),
        'ERR_INVALID_ARGUMENT',
      )
    for (const call of ['defer', 'cycle'] as const)
      t.equal(
        thrown(() => engine[call](1, callback as never)),
        'ERR_INVALID_ARGUMENT',
      )
  }
  for (const delay of [0, -1, NaN, Infinity, -Infinity, '10', 10n, null, undefined]) {
    for (const call of ['defer', 'cycle'] as const)
      t.equal(
        thrown(() => engine[call](delay as never, () => {})),
        'ERR_INVALID_ARGUMENT',
        `${call} ${delay}`,
      )
  }
})

t.test('what a timer throws is logged, and everything goes on', async t => {
  const { clock, engine, log, logged } = timed()
  const boom = () => {
    throw new Error('boom')
  }
  engine.callback(boom)
  const stopLoop = engine.loop(() => {
    log.push('loop')
    if (log.length === 2) stopLoop()
    boom()
  })
  engine.callback(async () => boom())
  engine.defer(10, boom)
  engine.defer(10, () => log.push('another'))
  const stop = engine.cycle(10, boom)
  clock.advance(0)
  clock.advance(30)
  await turn()
  stop()
  t.same(log, ['loop', 'loop', 'another'])
  t.equal(logged.length, 1 + 2 + 1 + 1 + 3)
  t.match(logged[0], /^timer: Error: boom\n {4}at boom /, 'with its stack')
})

// A thrown value was shown with String(), which itself throws for an object without a prototype. So
// a timer that threw such an object ended the process.
t.test('what a timer throws need not be an Error', async t => {
  const { clock, engine, logged } = timed()
  for (const thing of [Object.create(null), null, undefined, Symbol('s'), 'text', { code: 'X' }]) {
    engine.callback(() => {
      throw thing
    })
  }
  clock.advance(0)
  t.same(logged, [
    'timer: an object (without prototype)',
    'timer: null',
    'timer: undefined',
    'timer: Symbol(s)',
    'timer: "text"',
    'timer: an object (Object)',
  ])
})

// One that rejected ended the process.
t.test('a log that throws, or rejects, ends nothing', async t => {
  const { clock, engine, log } = timed()
  const full = new Error('disk full')
  const throws = () => {
    throw full
  }
  for (engine.log of [throws, () => Promise.reject(full)]) {
    engine.callback(() => {
      throw new Error('boom')
    })
    engine.callback(() => log.push('next'))
    clock.advance(0)
    t.doesNotThrow(() => logSafely(engine, 'a message'))
    await turn()
  }
  t.same(log, ['next', 'next'])
})

t.test('turns, for channels', async t => {
  const { clock, engine, log } = timed()
  const object = { turn: () => void log.push('turn') }
  engine[DRIVE].wake(object)
  engine.callback(() => log.push('callback'))
  clock.advance(0)
  clock.advance(0)
  t.same(log, ['turn', 'callback'], 'channels first, once')
})

t.test('start and stop', async t => {
  const { clock, engine } = timed()
  t.equal(clock.pending, 0)
  const started = engine.start()
  t.equal(engine.start(), started, 'started already')
  t.equal(clock.pending, 1, 'it keeps the process alive')
  clock.advance(86_400_000)
  t.equal(clock.pending, 1, 'on the second day too')
  t.equal(await fate(started), 'open')
  const stopped = engine.stop()
  t.equal(engine[DRIVE].isStopping, true)
  t.equal(await stopped, undefined)
  t.equal(engine[DRIVE].isStopping, false)
  t.equal(await started, undefined)
  t.equal(clock.pending, 0)
  await engine.stop()
  const again = engine.start()
  t.not(again, started)
  await Promise.all([
    engine.stop(),
    engine.stop({ timeout: 0 }),
    engine.stop({ timeout: Infinity }),
  ])
  await again
  t.equal(clock.pending, 0)
  const used = new Engine({ clock })
  const promise = used.start()
  {
    await using engine = used
    t.equal(engine.channels.size, 0)
  }
  await promise
  t.equal(clock.pending, 0)
})

// The timer that keeps the process alive belonged to the engine, not to one start. A stop that had
// not ended yet cleared the timer of the next start, and the process ended although the engine was
// started.
t.test('started again before the stop has ended, it keeps the process alive', async t => {
  const { clock, engine } = timed()
  engine.start()
  const stopped = engine.stop()
  const started = engine.start()
  await stopped
  t.equal(clock.pending, 1)
  t.equal(await fate(started), 'open')
  await engine.stop()
})

// stop was an async function, so its misuse became a rejection, against the rule that misuse is
// thrown at the call.
t.test('an invalid timeout throws at the call', async t => {
  const { engine } = timed()
  for (const timeout of [-1, NaN, '5', null, 5n]) {
    t.equal(
      thrown(() => void engine.stop({ timeout: timeout as never })),
      timeout === null ? 'nothing' : 'ERR_INVALID_ARGUMENT',
      String(timeout),
    )
  }
  for (const options of [5000, { timout: 5000 }])
    t.equal(
      thrown(() => void engine.stop(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
  await engine.stop(null as never)
})

// Callbacks are timers, too, but were still run after the stop that cancels all timers.
t.test('stop cancels all timers', async t => {
  const { clock, engine, log } = timed()
  engine.callback(() => log.push('callback'))
  engine.loop(() => log.push('loop'))
  engine.defer(1, () => log.push('defer'))
  engine.cycle(1, () => log.push('cycle'))
  await engine.stop()
  clock.advance(10)
  t.same(log, [])
  t.equal(clock.pending, 0)
})

await scene(t, 'stop closes politely, with the reason drain', async (t, { engine, pump }) => {
  const log: string[] = []
  spy(
    new Server(
      class extends Connection {
        override on_connect() {
          this.write('bye')
        }
      },
      { engine },
    ),
    'server',
    log,
  ).listen(1)
  const client = spy(new Client({ engine, encoding: 'utf8' }), 'client', log)
  await pump()
  client.connect(1)
  await pump()
  const started = engine.start()
  const stopped = engine.stop()
  t.equal(await fate(stopped), 'open')
  await pump()
  await Promise.all([started, stopped])
  t.equal(engine.channels.size, 0)
  t.ok(log.includes('client read bye'))
  t.ok(log.includes('server close drain'))
  t.ok(log.includes('client close drain'))
})

await scene(t, 'stop waits no longer than its timeout', async (t, { engine, pump, clock }) => {
  const server = new Server(Connection, { engine, end_timeout: Infinity }).listen(1)
  const client = new Client({ engine, end_timeout: Infinity })
  await pump()
  client.connect(1)
  await pump()
  const [connection] = server.channels
  connection!.end_timeout = Infinity
  client.suspend()
  connection!.write(Buffer.alloc(1_000_000))
  await pump()
  const stopped = engine.stop({ timeout: 100 })
  await turn()
  clock.advance(99)
  t.equal(await fate(stopped), 'open')
  clock.advance(1)
  await pump()
  await stopped
  t.equal(clock.pending, 0)
})

await scene(
  t,
  'stop: after its timeout a channel whose close is polite is aborted',
  async (t, { engine, clock }) => {
    const log: string[] = []
    let settle = (): void => {}
    const closed = new Promise<void>(resolve => (settle = resolve))
    const owned: Owned = {
      closed,
      end: () => log.push('end'),
      close: () => log.push('close'),
      abort: () => (log.push('abort'), engine[DRIVE].forget(owned), settle()),
      state: 'active',
      [LIFE]: {
        gauge: () => ({ kind: 'message', bytes_read: 0, bytes_written: 0, bytes_held: 0 }),
      },
    }
    engine[DRIVE].remember(owned)
    const stopped = engine.stop({ timeout: 100 })
    clock.advance(100)
    await stopped
    t.same(log, ['end', 'abort'])
  },
)

// stop left a client open that had connected again in on_close, and resolved all the same. If it
// had closed that client again and again, neither of the two would ever have ended.
await scene(
  t,
  'nothing can be opened while the engine stops',
  async (t, { engine, pump, logged }) => {
    const server = new Server(Connection, { engine }).listen(1)
    await pump()
    const client = new (class extends Client {
      override on_close() {
        this.connect(1)
      }
    })({ engine }).connect(1)
    await pump()
    const stopped = engine.stop()
    await pump()
    await stopped
    t.equal(engine.channels.size, 0)
    t.match(logged, [
      /the engine is stopping; in on_close, look for the reason 'drain' \(ERR_INVALID_STATE\)\n/,
    ])
    t.same([client.state, server.state], ['closed', 'closed'])
    t.equal(
      thrown(() => client.connect(1)),
      'nothing',
      'afterwards it can',
    )
    client.on_close = () => {}
    client.close()
  },
)

t.test('what channels wait for', async t => {
  const { clock, engine, log } = timed()
  const cancel = engine[DRIVE].after(100, () => log.push('cancelled'))
  engine[DRIVE].after(200, () => log.push('after'))
  engine.defer(50, () => log.push('defer'))
  const deadline = { bucket: undefined, look: (now: number) => (log.push(`look ${now}`), Infinity) }
  engine[DRIVE].watch(deadline, 400)
  cancel()
  // stop cancels only the timers of the program.
  const stopped = engine.stop()
  await stopped
  clock.advance(1000)
  t.same(log, ['after', 'look 416'])
  engine[DRIVE].watch(deadline, clock.now() + 100)
  engine[DRIVE].watch(deadline, Infinity)
  t.equal(clock.pending, 0, 'nothing keeps a process alive')
})

await scene(t, 'stats', async (t, { engine, pump }) => {
  class Quiet extends Connection {
    override read_delimiter = '\n'
  }
  const server = new Server(Quiet, { engine, max_connections: 1 }).listen(1)
  const packets = new Datagram({ engine }).listen(2)
  await pump()
  const client = new Client({ engine }).connect(1)
  await pump()
  client.write('half a line')
  packets.write('packet', ['127.0.0.1', 2])
  await pump()
  const refused = new Client({ engine }).connect(1)
  refused.on_error = () => {}
  await pump()
  engine.defer(1000, () => {})
  t.match(engine.stats(), {
    channels: { streams: { active: 2 }, servers: { active: 1 }, datagrams: { active: 1 } },
    connected: 2,
    accepted: 1,
    listened: 2,
    dropped: { max_connections: 1 },
    closed: { remote: 1 },
    bytes_read: 17,
    bytes_written: 17,
    bytes_held: 11,
    timers: 1,
  })
  server.close()
  packets.close()
  await pump()
  t.match(engine.stats(), {
    channels: { streams: { active: 0, closing: 0 }, servers: { closing: 0 } },
    closed: { remote: 2, drain: 1, local: 2 },
    bytes_held: 0,
  })
})

t.test('buffer_limit', async t => {
  const { engine } = timed()
  t.equal(engine.buffer_limit, Math.floor(getHeapStatistics().heap_size_limit / 2))
  engine.buffer_limit = Infinity
  t.equal(engine.buffer_limit, Infinity)
  t.equal(new Engine({ buffer_limit: 5000 }).buffer_limit, 5000)
  for (const limit of [0, -1, NaN, '5', null, {}]) {
    t.equal(
      thrown(() => (engine.buffer_limit = limit as number)),
      'ERR_INVALID_ARGUMENT',
    )
    if (limit !== null)
      t.equal(
        thrown(() => new Engine({ buffer_limit: limit as number })),
        'ERR_INVALID_ARGUMENT',
      )
  }
  t.equal(engine.buffer_limit, Infinity)
})

await scene(
  t,
  'stop ends although a channel throws in end()',
  async (t, { engine, pump, advance, logged }) => {
    const server = new Server({ engine }).listen(1)
    await pump()
    let throws = 2
    const client = new (class extends Client {
      override close(flush = false) {
        if (throws-- > 0) throw new Error(`not yet, ${flush}`)
        super.close()
      }
      override on_read_end() {}
    })({ engine }).connect(1)
    await pump()
    const stopped = engine.stop({ timeout: 1000 })
    await pump()
    t.same([client.state, server.state, await fate(stopped)], ['active', 'closing', 'open'])
    await advance(1000)
    await stopped
    t.same([client.state, server.state], ['closed', 'closed'])
    t.match(logged.splice(0), [/^stop: Error: not yet, true/, /^stop: Error: not yet, false/])
  },
)

t.test('TLS and files are those of the network, or else of Node', async t => {
  const network = new MemoryNetwork()
  const node = new Engine({ network })[DRIVE]
  t.equal(node.network, network)
  t.equal(node.tls, nodeTls)
  t.equal(node.files, nodeFiles)
  const tls: Tls = { context: () => ({ secure: transport => transport }) }
  const files: Files = { ...nodeFiles }
  const plain: Network = {
    connect: (to, options) => network.connect(to, options),
    listen: (at, options) => network.listen(at, options),
    packets: options => network.packets(options),
    tls,
    files,
  }
  const own = new Engine({ network: plain })[DRIVE]
  t.equal(own.network, plain)
  t.equal(own.tls, tls)
  t.equal(own.files, files)
  const passed = new Engine({ network: new TrickleNetwork(plain) })[DRIVE]
  t.equal(passed.tls, tls)
  t.equal(passed.files, files)
  for (const part of ['tls', 'files']) {
    for (const value of [null, {}, 'node']) {
      t.throws(() => new Engine({ network: { ...plain, [part]: value } }), {
        code: 'ERR_INVALID_ARGUMENT',
        message: new RegExp(`^engine: network.${part} must be `),
      })
    }
  }
})
