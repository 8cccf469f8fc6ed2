/**
 * The timeouts of an open connection: what runs out when, what puts it off and what does not, what
 * happens then.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { LIFE } from '../../src/channels/life.ts'
import { giveUp, Timeouts, type TimeoutsOwner } from '../../src/channels/timeouts.ts'
import { Deadlines } from '../../src/core/time/deadlines.ts'
import { DRIVE, Engine } from '../../src/engine.ts'
import { TimeoutError } from '../../src/errors.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import type { TimeoutKind } from '../../src/types.ts'
import { scene, spy, turn, type World } from '../kit.ts'

const NONE: TimeoutsOwner['values'] = {
  read_timeout: Infinity,
  write_timeout: Infinity,
  idle_timeout: Infinity,
  max_lifetime: Infinity,
}

/** An owner that does what the test says. */
class Fake implements TimeoutsOwner {
  values: TimeoutsOwner['values']
  bytes_read = 0
  bytes_gone = 0
  isDeaf = false
  isBlocked = false
  readonly log: string[] = []
  readonly clock = new ManualClock()
  readonly engine = new Engine({ clock: this.clock, network: new MemoryNetwork() })
  readonly timeouts: Timeouts
  onTimeout: () => void = () => {}

  constructor(values: Partial<TimeoutsOwner['values']>) {
    this.values = { ...NONE, ...values }
    this.timeouts = new Timeouts(this, this.engine[DRIVE], 0)
    this.timeouts.changed()
  }

  timedOut(kind: TimeoutKind): void {
    this.log.push(`${kind} ${Math.floor(this.clock.now())}`)
    this.onTimeout()
  }

  /** In steps of `step` ms, `each` before each of them. */
  pass(ms: number, step = ms, each: () => void = () => {}): this {
    for (let passed = 0; passed < ms; passed += step) {
      each()
      this.clock.advance(step)
    }
    return this
  }

  /** What ran out since the last time: which, and when at the earliest and the latest. */
  get news(): string[] {
    return this.log.splice(0)
  }
}

/** Did it run out once, in time? */
function inTime(news: string[], kind: string, timeout: number, since = 0): boolean {
  const [what, at] = (news[0] ?? '').split(' ')
  const late = Number(at) - since - timeout
  return news.length === 1 && what === kind && late >= 0 && late <= timeout / 6
}

t.test('none: nothing is waited for', async t => {
  const fake = new Fake({})
  t.equal(fake.clock.pending, 0)
  t.notOk(Timeouts.areAny(NONE))
  t.notOk(
    Timeouts.areAny({ ...NONE, write_timeout: 1 }),
    'that of writing runs only when the peer takes nothing',
  )
  for (const name of ['read_timeout', 'idle_timeout', 'max_lifetime'])
    t.ok(Timeouts.areAny({ ...NONE, [name]: 1 }))
})

for (const [kind, setting] of [
  ['read', 'read_timeout'],
  ['idle', 'idle_timeout'],
  ['lifetime', 'max_lifetime'],
] as const) {
  t.test(`${kind}: with nothing at all`, async t => {
    for (const timeout of [1, 50, 1000, 30_000, 3_600_000]) {
      const fake = new Fake({ [setting]: timeout })
      fake.pass(timeout * 1.2)
      t.ok(inTime(fake.news, kind, timeout), `${timeout} ms`)
      fake.pass(timeout * 1.1)
      t.equal(fake.news.length, 1, 'and again, as it was let pass')
      fake.timeouts.stop()
      t.equal(fake.clock.pending, 0)
    }
  })
}

t.test('read: only what comes puts it off', async t => {
  const fake = new Fake({ read_timeout: 8000 })
  fake.pass(80_000, 1000, () => fake.bytes_read++)
  t.same(fake.news, [])
  // Once in nearly the whole time is enough.
  fake.pass(60_000, 7500, () => fake.bytes_read++)
  t.same(fake.news, [])
  const last = fake.clock.now()
  fake.bytes_read++
  // The bug of Node (its timeout is put off by our own writes): a server that pings a dead peer
  // never notices.
  fake.pass(9400, 100, () => fake.bytes_gone++)
  t.ok(inTime(fake.news, 'read', 8000, last))
})

t.test('read: our own silence does not count', async t => {
  const fake = new Fake({ read_timeout: 8000 })
  fake.pass(4000)
  fake.isDeaf = true
  fake.pass(100_000)
  t.same(fake.news, [])
  fake.isDeaf = false
  const from = fake.clock.now()
  fake.pass(7999)
  t.same(fake.news, [], 'it begins anew, not where it was')
  fake.pass(1400)
  t.ok(inTime(fake.news, 'read', 8000, from))
})

t.test('write: only while something waits, and only what leaves puts it off', async t => {
  const fake = new Fake({ write_timeout: 8000 })
  t.equal(fake.clock.pending, 0)
  fake.pass(100_000)
  fake.isBlocked = true
  fake.timeouts.blocked()
  t.equal(fake.clock.pending, 1)
  fake.pass(60_000, 7500, () => {
    fake.bytes_gone++
    fake.timeouts.blocked()
  })
  t.same(fake.news, [], 'a slow peer is not gone')
  const from = fake.clock.now()
  fake.bytes_gone++
  // What is received, and what is written behind, is no progress.
  fake.pass(9400, 100, () => {
    fake.bytes_read++
    fake.timeouts.blocked()
  })
  t.ok(inTime(fake.news, 'write', 8000, from))
  fake.isBlocked = false
  fake.pass(1000)
  t.equal(fake.clock.pending, 0, 'and nothing is looked at any more')
  fake.isBlocked = true
  const again = fake.clock.now()
  fake.timeouts.blocked()
  fake.pass(9400)
  t.ok(inTime(fake.news, 'write', 8000, again), 'it does not count from the time before')
})

t.test('write: blocked while another timeout is looked at', async t => {
  const fake = new Fake({ write_timeout: 800, read_timeout: 80_000 })
  fake.pass(9900)
  fake.isBlocked = true
  fake.timeouts.blocked()
  fake.pass(799)
  t.same(fake.news, [])
  fake.pass(135)
  t.ok(inTime(fake.news, 'write', 800, 9900))
})

t.test('idle: either direction puts it off', async t => {
  const fake = new Fake({ idle_timeout: 8000 })
  fake.pass(60_000, 7500, () => fake.bytes_read++)
  fake.pass(60_000, 7500, () => fake.bytes_gone++)
  t.same(fake.news, [])
  const from = fake.clock.now()
  fake.bytes_gone++
  fake.isDeaf = fake.isBlocked = true
  fake.pass(9400)
  t.ok(inTime(fake.news, 'idle', 8000, from), 'whoever is silent')
})

t.test('lifetime: nothing puts it off', async t => {
  const fake = new Fake({ max_lifetime: 8000 })
  fake.pass(9000, 100, () => {
    fake.bytes_read++
    fake.bytes_gone++
  })
  t.ok(inTime(fake.news, 'lifetime', 8000))
})

t.test('several, and stopped in the middle', async t => {
  const fake = new Fake({ read_timeout: 8000, idle_timeout: 8000, max_lifetime: 8000 })
  fake.pass(9400)
  t.same(
    fake.news.map(line => line.split(' ')[0]),
    ['lifetime', 'read', 'idle'],
  )
  fake.onTimeout = () => fake.timeouts.stop()
  fake.pass(9400)
  t.equal(fake.news.length, 1, 'nothing after it was stopped')
  t.equal(fake.clock.pending, 0)
})

t.test('a timeout that changes takes effect at once', async t => {
  const fake = new Fake({ read_timeout: 80_000 })
  fake.pass(20_000)
  fake.values = { ...NONE, read_timeout: 10_000 }
  fake.timeouts.changed()
  // It is late, so the sockets are read first.
  fake.pass(1).pass(20)
  t.equal(fake.news.length, 1, 'it had run out already')
  fake.values = NONE
  fake.timeouts.changed()
  t.equal(fake.clock.pending, 0)
  fake.values = { ...NONE, max_lifetime: 30_000 }
  fake.timeouts.changed()
  fake.pass(12_000)
  t.ok(inTime(fake.news, 'lifetime', 30_000), 'a lifetime counts from the beginning')
})

// ---- on channels --------------------------------------------------------------------------------

async function connect(
  world: World,
  options: object = {},
  serverOptions: object = {},
): Promise<[Client, Connection, Server]> {
  const { engine, pump } = world
  const server = new Server({ engine, ...serverOptions }).listen(1)
  await pump()
  const client = new Client({ engine, ...options }).connect(1)
  await pump()
  return [client, [...server.channels][0] as Connection, server]
}

await scene(t, 'by default: one error, and closed for that reason', async (t, world) => {
  for (const [kind, setting, text] of [
    ['read', 'read_timeout', 'nothing was received for longer than read_timeout, 8000 ms'],
    ['idle', 'idle_timeout', 'nothing was received or sent for longer than idle_timeout, 8000 ms'],
    ['lifetime', 'max_lifetime', 'it was open for longer than max_lifetime, 8000 ms'],
  ] as const) {
    const log: string[] = []
    const [client, , server] = await connect(world, { [setting]: 8000 })
    let error: unknown
    spy(client, '', log)
    const { on_error } = client
    client.on_error = given => on_error.call(client, (error = given) as Error)
    await world.advance(9400)
    t.same(
      log.map(line => line.trim()),
      [
        `timeout ${kind}`,
        'state error active',
        'error ERR_TIMEOUT',
        'state closing error',
        'state closed closing',
        'state destroy closed',
        'close timeout',
      ],
    )
    t.match(error, { name: 'TimeoutError', kind, setting, after: 8000, message: text })
    t.ok(error instanceof TimeoutError)
    t.same(world.logged.splice(0), [`Client 127.0.0.1:1: ${text} (ERR_TIMEOUT)`])
    server.close()
    await world.pump()
  }
})

await scene(
  t,
  'a peer that takes nothing is closed by the server, by default after a minute',
  async (t, world) => {
    const [client, connection] = await connect(world)
    client.suspend()
    client.on_read = () => {}
    t.equal(connection.write_timeout, 60_000)
    connection.write(Buffer.alloc(1_000_000))
    await world.advance(0)
    await world.advance(59_999)
    t.equal(connection.state, 'active')
    await world.advance(10_001)
    t.equal(await connection.closed, 'timeout')
    t.same(world.logged.splice(0), [
      `Connection ${connection.remote_address!.toString().replace(',', ':')}: ` +
        'the peer took nothing of what was sent for longer than write_timeout, 60000 ms ' +
        '(ERR_TIMEOUT)',
    ])
  },
)

await scene(t, 'overridden, the channel goes on', async (t, world) => {
  const [client, connection] = await connect(world, { read_timeout: 8000 })
  const kinds: string[] = []
  client.on_timeout = kind => {
    kinds.push(kind)
    if (kinds.length === 2) client.write('still there?')
  }
  await world.advance(9400)
  await world.advance(9400)
  t.same([kinds, client.state, connection.bytes_read], [['read', 'read'], 'active', 12])
  client.on_timeout = () => client.end()
  await world.advance(9400)
  t.equal(await client.closed, 'timeout', 'what the hook closes closes for that reason')
  t.same(world.logged, [])
})

await scene(t, 'what on_timeout throws is what any hook throws', async (t, world) => {
  const [client] = await connect(world, { read_timeout: 8000 })
  client.on_timeout = () => {
    throw new Error('mine')
  }
  await world.advance(9400)
  t.equal(await client.closed, 'error')
  t.match(world.logged.splice(0), [/mine/])
})

await scene(t, 'reads that are held are no silence of the peer', async (t, world) => {
  const [client, connection] = await connect(world, { read_timeout: 8000 })
  client.suspend()
  await world.advance(100_000)
  t.equal(client.state, 'active')
  client.resume()
  await world.advance(7900)
  t.equal(client.state, 'active')
  let release = (): void => {}
  client.on_read = () => new Promise<void>(resolve => (release = resolve))
  connection.write('one')
  await world.pump()
  await world.advance(100_000)
  t.equal(client.state, 'active', 'nor is a promise of ours')
  release()
  await world.pump()
  await world.advance(9400)
  t.equal(await client.closed, 'timeout')
  world.logged.length = 0
})

await scene(t, 'a peer that has ended is not silent', async (t, world) => {
  const [client, connection] = await connect(world, { read_timeout: 8000 })
  client.on_read_end = () => {}
  connection.end()
  await world.pump()
  await world.advance(20_000)
  t.equal(client.state, 'active')
  client.end()
})

await scene(t, 'a hook that is set free by a timeout before it connects', async (t, world) => {
  const { engine, clock, pump } = world
  const tries: number[] = []
  const client = new (class extends Client {
    override connect_timeout = 1000
    override on_timeout(kind: TimeoutKind) {
      tries.push(clock.now())
      if (tries.length === 3) super.on_timeout(kind)
    }
  })({ engine }).connect(['nobody.test', 9])
  // The network has not answered yet.
  await turn()
  clock.advance(2999)
  t.same([tries, client.state], [[1000, 2000], 'opening'], 'each time it begins anew')
  clock.advance(1)
  await pump()
  t.equal(await client.closed, 'timeout')
  t.same(
    world.logged.splice(0),
    [
      'Client: connecting to nobody.test:9 took longer than connect_timeout, 1000 ms (ERR_TIMEOUT)',
    ].map(line => line.replace('Client', client.name)),
  )
})

await scene(t, 'set at any time, by class field, option or assignment', async (t, world) => {
  const { engine, pump, advance, logged } = world
  class Short extends Connection {
    override idle_timeout = 800
  }
  const server = new Server(Short, { engine }).listen(1)
  await pump()
  const client = new Client({ engine }).connect(1)
  await pump()
  await advance(940)
  t.equal(server.channels.size, 0)
  await client.closed
  const other = new Client({ engine }).connect(1)
  await pump()
  ;[...server.channels][0]!.idle_timeout = Infinity
  await advance(5000)
  t.equal(other.state, 'active')
  other.max_lifetime = 6000
  t.ok(other.connected, 'nothing happens in an assignment')
  await advance(2000)
  t.equal(await other.closed, 'timeout')
  // While it is not open: from the next opening on.
  other.read_timeout = 100
  other.connect(1)
  await pump()
  other.max_lifetime = Infinity
  await advance(120)
  t.equal(await other.closed, 'timeout')
  logged.length = 0
})

await scene(t, 'while it closes end_timeout alone counts', async (t, world) => {
  const [client, connection] = await connect(world, {
    read_timeout: 100,
    max_lifetime: 100,
    end_timeout: 1000,
  })
  connection.on_read_end = () => {}
  client.end()
  await world.advance(999)
  t.equal(client.state, 'closing')
  await world.advance(1)
  t.equal(await client.closed, 'timeout')
  t.same(world.logged, [])
})

await scene(t, 'a handshake', async (t, world) => {
  const [client] = await connect(world)
  const errors: Error[] = []
  ;(client as unknown as Record<string, unknown>)['on_tls_handshake_error'] = (error: Error) =>
    errors.push(error)
  giveUp(client[LIFE], 'handshake', { handshake_timeout: 10_000 })
  t.match(errors, [
    {
      name: 'TimeoutError',
      kind: 'handshake',
      message: 'the TLS handshake took longer than handshake_timeout, 10000 ms',
    },
  ])
  t.equal(client.state, 'closing')
})

// What this is all for: each connection with a timer of its own is what Node has.
t.test('many connections with all of them set are one timer', async t => {
  let armed = 0
  let most = 0
  const clock = new ManualClock()
  const after = clock.after.bind(clock)
  clock.after = (delay, callback) => {
    most = Math.max(most, ++armed)
    let isOver = false
    const end = (): void => {
      if (!isOver) armed--
      isOver = true
    }
    const cancel = after(delay, () => (end(), callback()))
    return () => (end(), cancel())
  }
  const engine = new Engine({ clock, network: new MemoryNetwork() })
  let looks = 0
  const owner = {
    ...NONE,
    values: {
      read_timeout: 60_000,
      write_timeout: 60_000,
      idle_timeout: 60_000,
      max_lifetime: 3_600_000,
    },
    bytes_gone: 0,
    isDeaf: false,
    isBlocked: false,
    timedOut: () => {},
  }
  let bytes = 0
  const counting: TimeoutsOwner = Object.defineProperty({ ...owner, bytes_read: 0 }, 'bytes_read', {
    get: () => (looks++, bytes),
  })
  const all = Array.from({ length: 20_000 }, () => new Timeouts(counting, engine[DRIVE], 0))
  for (const [n, timeouts] of all.entries()) {
    if (n % 200 === 0) clock.advance(75)
    timeouts.changed()
  }
  bytes = 1
  clock.advance(10_000)
  looks = 0
  // They are all busy.
  for (let second = 0; second < 60; second++) {
    bytes++
    clock.advance(1000)
  }
  t.equal(most, 1, 'timers at a time')
  t.ok(looks <= 160_000, `${looks} looks in a minute: 8 each at most`)
  for (const timeouts of all) timeouts.stop()
  t.equal(armed, 0)
  t.equal(new Deadlines().size, 0)
})
