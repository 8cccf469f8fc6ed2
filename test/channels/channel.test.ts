/**
 * What every channel is: its life, its hooks, its place in the tree. Held by a channel that has
 * nothing else.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import {
  addChild,
  announce,
  asError,
  beginClosing,
  beginOpening,
  callBlaming,
  callHook,
  Channel,
  type ChannelDriver,
  childrenOf,
  closeChild,
  describe,
  destroy,
  fail,
  finishClosing,
  halt,
  hookFailed,
  isOpen,
  logError,
  parentOf,
  reasonOf,
  setDriver,
  sinceOf,
  warn,
} from '../../src/channels/channel.ts'
import { Engine } from '../../src/engine.ts'
import { ClosedError } from '../../src/errors.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import type { CloseReason, State, StateSignal } from '../../src/types.ts'
import { fate, scene, thrown, turn } from '../kit.ts'

const logged: string[] = []
const engine = new Engine({ log: message => logged.push(message) })

const GAUGE = { kind: 'datagram', bytes_read: 3, bytes_written: 5, bytes_held: 7 } as const

/** A channel of nothing: what a socket would report, the test reports. */
class Bare extends Channel {
  log: string[] = []

  constructor(options: object = {}) {
    super({ engine, ...options })
  }

  override close(flush = false): void {
    this.log.push(`close(${flush})`)
    if (this.state !== 'closed' && this.state !== 'closing') beginClosing(this)
  }

  override on_state(state: StateSignal, previous: State): void {
    this.log.push(`${previous}>${state}`)
  }

  override on_close(reason: CloseReason): void {
    this.log.push(`close ${reason}`)
  }

  /** To 'active', as a connection does. */
  open(): this {
    beginOpening(this)
    isOpen(this, 'connect')
    return this
  }

  /** From whatever to 'closed'. */
  finish(): string[] {
    this.close()
    finishClosing(this)
    return this.log.splice(0)
  }
}

/** The calls that a channel makes to its driver. */
function drive(channel: Channel, address = ''): string[] {
  const calls: string[] = []
  const driver: ChannelDriver = {
    suspended: () => calls.push('suspended'),
    resumed: () => calls.push('resumed'),
    hookReturned: result => calls.push(`returned ${result}`),
    child_closed: () => calls.push('child closed'),
    address: () => address,
    gauge: () => GAUGE,
  }
  setDriver(channel, driver)
  return calls
}

t.beforeEach(() => void logged.splice(0))

t.test('is made', async t => {
  class Named extends Bare {}
  t.equal(new Named().name, 'Named')
  t.equal(new Bare({ name: 'door' }).name, 'door')
  t.equal(new Bare({ name: '' }).name, '')
  t.equal(new Bare().engine, engine)
  t.equal(new Client().engine, Engine.instance())
  for (const options of [{ engine: {} }, { engine: null }, { name: 5 }, { name: null }]) {
    t.equal(
      thrown(() => new Bare(options)),
      'ERR_INVALID_ARGUMENT',
    )
  }
  for (const options of [null, 5, 'options', () => {}])
    t.equal(
      thrown(() => new Client(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
  const channel = new Bare()
  t.equal(channel.state, 'closed')
  t.equal(channel.suspended, false)
  t.same(channel.log, [], 'no hook is called')
})

t.test('the life of a channel', async t => {
  const channel = new Bare()
  const { opened } = channel
  t.equal(await channel.closed, 'local', 'not open: at once')
  beginOpening(channel)
  t.equal(channel.state, 'opening')
  t.ok(engine.channels.has(channel))
  t.same(channel.log, [], 'no hook runs in connect or listen')
  await turn()
  t.same(channel.log, ['closed>opening'])
  t.equal(await fate(opened), 'open')
  isOpen(channel, 'connect')
  t.equal(channel.opened, opened)
  t.equal(await opened, channel)
  const { closed } = channel
  t.equal(channel.closed, closed)
  channel.close()
  t.equal(channel.state, 'closing')
  t.ok(engine.channels.has(channel))
  t.equal(await fate(closed), 'open')
  finishClosing(channel)
  t.equal(channel.state, 'closed')
  t.notOk(engine.channels.has(channel))
  t.equal(await closed, 'local')
  t.equal(await channel.closed, 'local')
  t.equal(await channel.opened, channel, 'it was')
  t.same(channel.log.splice(0), [
    'closed>opening',
    'opening>active',
    'close(false)',
    'active>closing',
    'closing>closed',
    'closed>destroy',
    'close local',
  ])

  channel.open()
  t.not(channel.opened, opened, 'another opening, another promise')
  t.equal(await channel.opened, channel)
  t.same(channel.finish(), [
    'closed>opening',
    'opening>active',
    'close(false)',
    'active>closing',
    'closing>closed',
    'closed>destroy',
    'close local',
  ])
  t.throws(() => finishClosing(channel), {
    message: 'sluice: a channel cannot go from closed to closed; this is a bug in sluice',
  })
})

t.test('closed before it was open', async t => {
  const channel = new Bare({ name: 'early' })
  const { opened } = channel
  beginOpening(channel)
  await turn()
  t.same(channel.finish(), [
    'closed>opening',
    'close(false)',
    'opening>closing',
    'closing>closed',
    'closed>destroy',
    'close local',
  ])
  await t.rejects(opened, { code: 'ERR_CLOSED', message: 'early was closed before it was open' })
  await t.rejects(channel.opened, { code: 'ERR_CLOSED' }, 'also who asks later')
  beginOpening(channel)
  t.equal(await fate(channel.opened), 'open', 'the next opening has its own')
  channel.finish()
  const ignored = new Bare()
  void ignored.opened
  beginOpening(ignored)
  ignored.finish()
  await turn()
})

t.test('end and dispose', async t => {
  const channel = new Bare().open()
  channel.end()
  t.equal(channel.log.at(-2), 'close(true)')
  setImmediate(() => finishClosing(channel))
  await channel[Symbol.asyncDispose]()
  t.equal(channel.state, 'closed')
})

t.test('a fatal error leaves nothing but closing', async t => {
  const channel = new Bare()
  const errors: unknown[] = []
  channel.on_error = error => void errors.push(error)
  const { opened } = channel
  beginOpening(channel)
  const error = new ClosedError('refused')
  fail(channel, 'on_error', error)
  t.same(errors, [error])
  fail(channel, 'on_error', new Error('another'))
  t.equal(await fate(opened), 'open')
  finishClosing(channel)
  t.same(channel.log.splice(0), [
    'closed>opening',
    'opening>error',
    'close(false)',
    'error>closing',
    'closing>error',
    'close(false)',
    'error>closing',
    'closing>closed',
    'closed>destroy',
    'close error',
  ])
  fail(channel, 'on_error', new Error('late'))
  t.equal(errors.length, 2, 'of a channel that has closed nobody hears')
  await t.rejects(opened, new Error('another'))

  // In the hook the channel is in 'error', and a second error tells nobody.
  const other = new Bare().open()
  let count = 0
  other.on_error = () => {
    t.equal(other.state, 'error')
    if (count++ === 0) fail(other, 'on_error', new Error('inner'))
  }
  fail(other, 'on_error', new Error('outer'), 'timeout')
  t.equal(count, 1)
  t.match(other.finish(), [
    'closed>opening',
    'opening>active',
    'active>error',
    'close(false)',
    'error>closing',
    'close(false)',
    'closing>closed',
    'closed>destroy',
    'close timeout',
  ])
})

t.test('after a warning the hook decides', async t => {
  const channel = new Bare().open()
  channel.on_error = () => {}
  warn(channel, 'on_error', new Error('too long'), 'overflow')
  t.equal(channel.state, 'active')
  t.equal(await channel.opened, channel)
  t.equal(channel.finish().at(-1), 'close local', 'what was is not the reason of what comes')
  const second = new Bare().open()
  warn(second, 'on_error', new Error('too long'), 'overflow')
  t.same(second.finish().at(-1), 'close overflow', 'the default closes, with that reason')
  const third = new Bare().open()
  warn(third, 'on_error', new Error('plain'))
  t.same(third.finish().at(-1), 'close error')
})

t.test('what a hook throws goes to on_error, what that throws to the log', async t => {
  const channel = new Bare({ name: 'frail' }).open()
  const errors: Error[] = []
  channel.on_error = error => void errors.push(error)
  channel.on_state = () => {
    throw new Error('in on_state')
  }
  callHook(channel, 'on_state', 'active', 'opening')
  channel.on_state = null as never
  callHook(channel, 'on_state', 'active', 'opening')
  hookFailed(channel, 'text')
  t.match(errors, [
    { message: 'in on_state' },
    TypeError,
    { code: 'ERR_HOOK', message: 'a hook threw "text", which is no Error', cause: 'text' },
  ])
  t.equal(asError(errors[0]), errors[0])
  t.equal(channel.state, 'active', 'who overrides on_error goes on')
  channel.on_error = error => {
    throw new Error(`on ${error.message}`)
  }
  channel.on_state = () => {}
  hookFailed(channel, new Error('first'))
  t.equal(channel.state, 'closing')
  t.same(logged, ['frail: on_error itself threw on first, on first'])
  t.equal(channel.finish().at(-1), 'close error')

  channel.on_error = Channel.prototype.on_error
  channel.on_close = () => {
    throw new Error('in on_close')
  }
  channel.open()
  const { closed } = channel
  channel.finish()
  t.equal(await closed, 'local', 'on_close threw, and the promise settles all the same')
  t.match(logged[1], /^frail: Error: in on_close\n/)
})

// What an async on_error rejected with went to on_error, which rejected again: the process did
// nothing else any more.
t.test('on_error may reject, too', async t => {
  logged.length = 0
  class Frail extends Client {
    count = 0
    override on_connect_error(): void {
      throw new Error('first')
    }
    override async on_error(error: Error): Promise<void> {
      if (++this.count < 10) throw new Error(`on ${error.message}`)
    }
  }
  const channel = new Frail({ engine, name: 'frail' }).connect({ path: '/nobody/is/here' })
  t.equal(await channel.closed, 'error')
  await turn()
  t.equal(channel.count, 1)
  t.same(logged.splice(0), ['frail: on_error itself threw on first, on first'])
})

t.test('who rejects in on_error closes, as who throws', async t => {
  await scene(t, 'a connection', async (t, { engine, logged, pump }) => {
    class Frail extends Connection {
      override on_read(): void {
        throw new Error('first')
      }
      override on_error = async (): Promise<void> => {
        throw new Error('second')
      }
    }
    const server = new Server(Frail, { engine }).listen(1)
    await pump()
    const client = new Client({ engine }).connect(1)
    await pump()
    const [connection] = server.channels
    client.write('x')
    await pump()
    t.equal(connection!.state, 'closed')
    t.match(logged, [/^Frail.*: on_error itself threw second, on first$/])
  })
})

// What on_error threw was shown with String(), which throws for what has no way to become a string;
// inside a socket's event that ended the process.
t.test('what on_error throws need not be an Error', async t => {
  const channel = new Bare({ name: 'odd' }).open()
  channel.on_error = () => {
    throw Object.create(null)
  }
  t.doesNotThrow(() => hookFailed(channel, Object.create(null)))
  t.same(logged, [
    'odd: on_error itself threw an object (without prototype), on a hook threw an object (without prototype), which is no Error',
  ])
  channel.finish()
})

t.test('what a hook returns goes to the driver', async t => {
  const channel = new Bare().open()
  channel.on_close = () => 'something' as never
  channel.on_error = () => Promise.resolve() as never
  callHook(channel, 'on_close', 'local')
  hookFailed(channel, new Error('without a driver'))
  const calls = drive(channel)
  callHook(channel, 'on_close', 'local')
  hookFailed(channel, new Error('with one'))
  callHook(channel, 'on_state', 'active', 'active')
  t.same(calls, ['returned something', 'returned [object Promise]'])
  channel.finish()
})

t.test('the log line', async t => {
  const channel = new Bare({ name: 'line' })
  t.equal(describe(channel), 'line')
  drive(channel)
  t.equal(describe(channel), 'line')
  drive(channel, '[::1]:4040')
  t.equal(describe(channel), 'line [::1]:4040')
  logError(channel, new Error('a bug'))
  logError(channel, Object.assign(new Error('no stack'), { stack: undefined }))
  logError(channel, Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  logError(channel, new ClosedError('was closed'))
  t.match(logged, [
    /^line \[::1\]:4040: Error: a bug\n {4}at /,
    'line [::1]:4040: Error: no stack',
    'line [::1]:4040: read ECONNRESET',
    'line [::1]:4040: was closed (ERR_CLOSED)',
  ])
})

t.test('the tree of suspensions', async t => {
  const [root, near, far, leaf] = [new Bare(), new Bare(), new Bare(), new Bare()]
  const log: string[] = []
  for (const [name, channel] of Object.entries({ root, near, far, leaf })) {
    setDriver(channel, {
      suspended: () => log.push(`-${name}`),
      resumed: () => log.push(`+${name}`),
      hookReturned: () => {},
      address: () => '',
      gauge: () => GAUGE,
    })
  }
  addChild(root, near)
  addChild(root, far)
  addChild(near, leaf)
  const news = (): string => log.splice(0).join(' ')
  near.suspend()
  near.suspend()
  t.equal(news(), '-near -leaf')
  root.suspend()
  t.equal(news(), '-root -far')
  root.resume()
  t.equal(news(), '+root +far')
  t.same(
    [root, near, far, leaf].map(channel => channel.suspended),
    [false, true, false, true],
  )
  near.resume()
  near.resume()
  t.equal(news(), '+near +leaf')

  root.suspend()
  leaf.suspend()
  t.equal(news(), '-root -near -leaf -far -leaf', 'told again when it is suspended by itself, too')
  near.resume()
  t.equal(news(), '+near', 'a part of a suspended tree may go on; not what was suspended by itself')
  root.resume()
  t.equal(news(), '+root +far')
  leaf.resume()
  t.equal(news(), '+leaf')

  root.suspend()
  news()
  const late = new Bare()
  addChild(root, late)
  t.ok(late.suspended, 'suspended as soon as it is there')
  root.resume()
  t.notOk(late.suspended)
  t.same([...childrenOf(root)], [near, far, late])
  t.equal(parentOf(late), root)
})

// What waited is delivered in resume(): a hook that suspended the channel again in there was right
// for that channel, but those below it were resumed all the same.
t.test('suspended again while it is resumed', async t => {
  const [root, near, far] = [new Bare(), new Bare(), new Bare()]
  const log: string[] = []
  for (const [name, channel] of Object.entries({ root, near, far })) {
    const resumed = () => {
      log.push(name)
      if (log.length === 2) root.suspend()
    }
    setDriver(channel, {
      suspended: () => {},
      resumed,
      hookReturned: () => {},
      address: () => '',
      gauge: () => GAUGE,
    })
  }
  addChild(root, near)
  addChild(root, far)
  root.suspend()
  root.resume()
  t.same(log, ['root', 'near'])
  t.same(
    [root, near, far].map(channel => channel.suspended),
    [true, true, true],
  )
  root.resume()
  t.same(log, ['root', 'near', 'root', 'near', 'far'])
})

t.test('children', async t => {
  const parent = new Bare()
  const calls = drive(parent)
  const [child, other] = [new Bare(), new Bare()]
  t.equal(childrenOf(parent).size, 0)
  addChild(parent, child)
  addChild(parent, other)
  t.equal(childrenOf(new Bare()).size, 0)
  child.open()
  closeChild(child, true)
  t.equal(child.log.at(-2), 'close(true)')
  finishClosing(child)
  t.equal(child.log.at(-1), 'close drain')
  t.same(calls, ['child closed'])
  other.open()
  t.equal(other.finish().at(-1), 'close local')
  t.equal(childrenOf(parent).size, 0)
  // A parent that does not care.
  const indifferent = new Bare()
  const only = new Bare().open()
  addChild(indifferent, only)
  only.finish()
  setDriver(indifferent, {
    suspended: () => {},
    resumed: () => {},
    hookReturned: () => {},
    address: () => '',
    gauge: () => GAUGE,
  })
  addChild(indifferent, only.open())
  only.finish()
  t.equal(childrenOf(indifferent).size, 0)
})

// A connection was still among server.channels in its own on_close, so whoever counted there ("3
// are left") was one off.
t.test('in on_close it is no child any more, and its parent has not closed yet', async t => {
  const parent = new Bare()
  const child = new Bare().open()
  const calls = drive(parent)
  addChild(parent, child)
  child.on_close = () => t.same([childrenOf(parent).size, calls], [0, []])
  child.finish()
  t.same(calls, ['child closed'])
})

// on_state('opening') is told late, and may be told by the very call that changes the state next. A
// hook that closed the channel in there made that call go on from a state that had passed: "cannot
// go from closing to active", thrown in a microtask, which ended the process of a server whose
// connections did that.
t.test('closed when told that it is opening', async t => {
  class Shy extends Bare {
    override on_state(state: StateSignal, previous: State) {
      super.on_state(state, previous)
      if (state === 'opening') this.close()
    }
  }
  const opened = new Shy()
  beginOpening(opened)
  isOpen(opened, 'connect')
  t.equal(opened.state, 'closing')
  finishClosing(opened)
  t.same(opened.log, [
    'closed>opening',
    'close(false)',
    'opening>closing',
    'closing>closed',
    'closed>destroy',
    'close local',
  ])
  await t.rejects(opened.opened, { code: 'ERR_CLOSED' })
  const closed = new Shy()
  beginOpening(closed)
  closed.close()
  finishClosing(closed)
  t.same(closed.log, [
    'close(false)',
    'closed>opening',
    'close(false)',
    'opening>closing',
    'closing>closed',
    'closed>destroy',
    'close local',
  ])
})

await scene(
  t,
  'closed when told that it is opening, by a connection',
  async (t, { engine, pump }) => {
    const log: string[] = []
    new Server(
      class extends Connection {
        override on_state(state: StateSignal) {
          log.push(state)
          if (state === 'opening') this.close()
        }
      },
      { engine },
    ).listen(1)
    await pump()
    const client = new Client({ engine }).connect(1)
    await pump()
    t.same(log, ['opening', 'closing', 'closed', 'destroy'])
    t.equal(await client.closed, 'remote')
  },
)

// Who opened a channel again when told 'closed' got an opening that rejected its promise at once,
// and that the engine had forgotten: what was left of the end of the last one was done to the new
// one.
t.test('opened again when told that it has closed', async t => {
  for (const signal of ['closed', 'destroy']) {
    const channel = new Bare()
    channel.on_state = (state, previous) => {
      channel.log.push(`${previous}>${state}`)
      if (state === signal && channel.log.length < 10) beginOpening(channel)
    }
    beginOpening(channel)
    const first = channel.opened
    channel.finish()
    await t.rejects(first, { code: 'ERR_CLOSED' })
    t.equal(channel.state, 'opening', signal)
    t.ok(engine.channels.has(channel))
    const second = channel.opened
    isOpen(channel, 'connect')
    t.equal(await second, channel)
    channel.on_state = () => {}
    channel.finish()
  }
})

t.test('the reason of a fault wins over others', async t => {
  const channel = new Bare().open()
  channel.on_error = () => beginClosing(channel, 'remote')
  warn(channel, 'on_error', new Error('too long'), 'overflow')
  finishClosing(channel)
  t.equal(await channel.closed, 'overflow')
  channel.open()
  beginClosing(channel, 'remote')
  finishClosing(channel, 'timeout')
  t.equal(await channel.closed, 'timeout')
})

t.test('while the engine stops', async t => {
  const engine = new Engine({ log: () => {} })
  const channel = new Bare({ engine }).open()
  const stopped = engine.stop()
  t.equal(channel.log.at(-2), 'close(true)')
  t.equal(
    thrown(() => new Bare({ engine }).open()),
    'ERR_INVALID_STATE',
  )
  finishClosing(channel)
  await stopped
  t.equal(await channel.closed, 'drain')
})

t.test('what closes it in a hook that is blamed closes it for that reason', async t => {
  const engine = new Engine({ log: () => {} })
  const channel = new Bare({ engine }).open()
  isOpen(channel, 'connect')
  const kinds: unknown[] = []
  Object.assign(channel, { on_timeout: (kind: unknown) => kinds.push(kind) })
  callBlaming(channel, 'timeout', 'on_timeout', 'read')
  t.same([kinds, channel.state], [['read'], 'active'], 'it need not')
  Object.assign(channel, { on_timeout: () => beginClosing(channel) })
  callBlaming(channel, 'timeout', 'on_timeout', 'read')
  finishClosing(channel)
  t.equal(await channel.closed, 'timeout')
  channel.open()
  beginClosing(channel)
  finishClosing(channel)
  t.equal(await channel.closed, 'local')
})

t.test('what is told outside, and counted', async t => {
  const told: unknown[] = []
  const hear = (message: unknown, name: string | symbol): void =>
    void told.push([name, { ...(message as object), channel: undefined }])
  for (const name of ['accept', 'overflow', 'close']) subscribe(`sluice:${name}`, hear)
  const clock = new ManualClock(1000.5)
  const engine = new Engine({ clock, log: () => {} })
  const channel = new Bare({ engine })
  t.equal(sinceOf(channel), 0)
  beginOpening(channel)
  t.equal(sinceOf(channel), 1001)
  clock.advance(50)
  isOpen(channel, 'accept')
  t.equal(sinceOf(channel), 1051)
  t.match(engine.stats(), { accepted: 1, channels: { streams: { active: 1 } } })
  setDriver(channel, {
    suspended: () => {},
    resumed: () => {},
    hookReturned: () => {},
    address: () => '',
    gauge: () => GAUGE,
  })
  t.match(engine.stats(), {
    channels: { datagrams: { active: 1 } },
    bytes_read: 3,
    bytes_written: 5,
    bytes_held: 7,
  })
  Object.assign(channel, { on_overflow_error: () => {} })
  const error = new Error('too much')
  warn(channel, 'on_overflow_error', error)
  clock.advance(8)
  channel.close()
  finishClosing(channel, 'remote')
  for (const name of ['accept', 'overflow', 'close']) unsubscribe(`sluice:${name}`, hear)
  t.same(told, [
    ['sluice:accept', { channel: undefined, duration: 50 }],
    ['sluice:overflow', { channel: undefined, error }],
    [
      'sluice:close',
      { channel: undefined, reason: 'remote', duration: 8, bytes_read: 3, bytes_written: 5 },
    ],
  ])
  t.match(engine.stats(), { closed: { remote: 1 }, overflows: 1, bytes_read: 3, bytes_held: 0 })
})

t.test('a child whose close throws', async t => {
  const parent = new Bare().open()
  const child = new (class extends Bare {
    override close() {
      throw new Error('mine')
    }
  })({ name: 'Child' }).open()
  addChild(parent, child)
  closeChild(child, true)
  t.equal(child.state, 'active')
  t.match(logged.splice(0), [/^Child: Error: mine/])
  beginClosing(child)
  finishClosing(child)
})

// ---- channels that outlive their closing --------------------------------------------------------

/** A driver that hears of every state. */
function driveOn(channel: Channel): string[] {
  const calls: string[] = []
  setDriver(channel, {
    suspended: suspension => calls.push(suspension),
    resumed: () => {},
    hookReturned: () => {},
    address: () => '',
    gauge: () => ({ kind: 'message', bytes_read: 0, bytes_written: 0, bytes_held: 0 }),
    outlives_closing: true,
    state_changed: state => calls.push(state),
    child_closed: () => calls.push('child closed'),
  })
  return calls
}

t.test('one that is closed stays below its parent until it is destroyed', async t => {
  const [parent, child] = [new Bare(), new Bare()]
  const calls = driveOn(child)
  const ofParent = driveOn(parent)
  addChild(parent, child)
  beginOpening(child)
  announce(child)
  t.same([calls, child.log], [['opening'], ['closed>opening']], 'told at once, the driver first')
  announce(child)
  isOpen(child, 'open')
  child.close()
  finishClosing(child)
  t.same(
    [calls.splice(0), reasonOf(child), reasonOf(parent)],
    [['opening', 'active', 'closing', 'closed'], 'local', undefined],
  )
  t.equal(childrenOf(parent).size, 1)
  destroy(child)
  t.same([calls, childrenOf(parent).size, child.log.at(-1)], [['destroy'], 0, 'closed>destroy'])
  t.same(ofParent, [], 'a child that may be opened again has not left')
  destroy(parent)
  t.same(ofParent, ['destroy'], 'without a parent, too')
})

t.test('halt: only close leaves the error', async t => {
  const channel = new Bare()
  channel.on_error = error => void channel.log.push(error.message)
  halt(channel, new Error('closed: nothing happens'))
  beginOpening(channel)
  const { opened } = channel
  halt(channel, new Error('first'))
  halt(channel, new Error('second'))
  t.equal(await fate(opened), 'rejected first')
  t.equal(channel.state, 'error')
  t.same(channel.finish(), [
    'closed>opening',
    'opening>error',
    'first',
    'close(false)',
    'error>closing',
    'closing>closed',
    'closed>destroy',
    'close error',
  ])
  channel.open()
  halt(channel, new Error('third'))
  t.equal(await channel.opened, channel, 'it was open')
  t.match(channel.finish(), /close error/)
})

t.test(
  'apart: a child that is added later is not suspended with its parent; what suspends is told',
  async t => {
    const [parent, child] = [new Bare(), new Bare()]
    const calls = driveOn(child)
    parent.suspend()
    addChild(parent, child, 'apart')
    t.equal(child.suspended, false)
    parent.resume()
    parent.suspend()
    child.suspend()
    child.suspend()
    t.same(calls, ['above', 'own'])
  },
)
