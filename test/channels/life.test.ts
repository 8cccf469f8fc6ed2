/**
 * The life of a channel, held by one that has nothing else: its states, its promises, its reasons,
 * its place in the tree.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { Client } from '../../src/channels/basic.ts'
import { LIFE, type Living } from '../../src/channels/life.ts'
import { Engine } from '../../src/engine.ts'
import { ClosedError } from '../../src/errors.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import type { State, StateSignal } from '../../src/types.ts'
import { fate, thrown, turn } from '../kit.ts'
import { Bare, drive, engine, GAUGE, logged } from './bare.ts'

t.beforeEach(() => void logged.splice(0))

t.test('the life of a channel', async t => {
  const channel = new Bare()
  const { opened } = channel
  t.equal(await channel.closed, 'local', 'not open: at once')
  channel.begin()
  t.equal(channel.state, 'opening')
  t.ok(engine.channels.has(channel))
  t.same(channel.log, [], 'no hook runs in connect or listen')
  await turn()
  t.same(channel.log, ['closed>opening'])
  t.equal(await fate(opened), 'open')
  channel[LIFE].open('connect')
  t.equal(channel.opened, opened)
  t.equal(await opened, channel)
  const { closed } = channel
  t.equal(channel.closed, closed)
  channel.close()
  t.equal(channel.state, 'closing')
  t.ok(engine.channels.has(channel))
  t.equal(await fate(closed), 'open')
  channel[LIFE].finishClosing()
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
  t.throws(() => channel[LIFE].finishClosing(), {
    message: 'sluice: a channel cannot go from closed to closed; this is a bug in sluice',
  })
})

t.test('closed before it was open', async t => {
  const channel = new Bare({ name: 'early' })
  const { opened } = channel
  channel.begin()
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
  channel.begin()
  t.equal(await fate(channel.opened), 'open', 'the next opening has its own')
  channel.finish()
  const ignored = new Bare()
  void ignored.opened
  ignored.begin()
  ignored.finish()
  await turn()
})

// A client that wrote more than send_buffer_size while it was connecting, and let it be in
// on_overflow_error: `opened` rejected, and then the client was connected.
t.test('an error while opening that the hook lets be does not reject opened', async t => {
  const channel = new Bare()
  channel.on_error = () => {}
  channel.begin()
  channel[LIFE].warn('on_error', new ClosedError('too much'))
  const { opened } = channel
  t.equal(await fate(opened), 'open')
  channel[LIFE].open('connect')
  t.equal(await opened, channel)
  channel.finish()

  channel.begin()
  channel[LIFE].warn('on_error', new ClosedError('too much'))
  channel.finish()
  await t.rejects(channel.opened, { message: 'too much' }, 'if it closes, that was why')
})

t.test('a fatal error leaves nothing but closing', async t => {
  const channel = new Bare()
  const errors: unknown[] = []
  channel.on_error = error => void errors.push(error)
  const { opened } = channel
  channel.begin()
  const error = new ClosedError('refused')
  channel[LIFE].fail('on_error', error)
  t.same(errors, [error])
  channel[LIFE].fail('on_error', new Error('another'))
  t.equal(await fate(opened), 'open')
  channel[LIFE].finishClosing()
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
  channel[LIFE].fail('on_error', new Error('late'))
  t.equal(errors.length, 2, 'of a channel that has closed nobody hears')
  await t.rejects(opened, new Error('another'))

  // In the hook the channel is in 'error', and a second error tells nobody.
  const other = new Bare().open()
  let count = 0
  other.on_error = () => {
    t.equal(other.state, 'error')
    if (count++ === 0) other[LIFE].fail('on_error', new Error('inner'))
  }
  other[LIFE].fail('on_error', new Error('outer'), 'timeout')
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
  channel[LIFE].warn('on_error', new Error('too long'), 'overflow')
  t.equal(channel.state, 'active')
  t.equal(await channel.opened, channel)
  t.equal(channel.finish().at(-1), 'close local', 'what was is not the reason of what comes')
  const second = new Bare().open()
  second[LIFE].warn('on_error', new Error('too long'), 'overflow')
  t.same(second.finish().at(-1), 'close overflow', 'the default closes, with that reason')
  const third = new Bare().open()
  third[LIFE].warn('on_error', new Error('plain'))
  t.same(third.finish().at(-1), 'close error')
})

t.test('the tree of suspensions', async t => {
  const [root, near, far, leaf] = [new Bare(), new Bare(), new Bare(), new Bare()]
  const log: string[] = []
  for (const [name, channel] of Object.entries({ root, near, far, leaf })) {
    channel[LIFE].driver = {
      suspended: () => log.push(`-${name}`),
      resumed: () => log.push(`+${name}`),
      hookReturned: () => {},
      address: () => '',
      gauge: () => GAUGE,
    }
  }
  root[LIFE].addChild(near)
  root[LIFE].addChild(far)
  near[LIFE].addChild(leaf)
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
  root[LIFE].addChild(late)
  t.ok(late.suspended, 'suspended as soon as it is there')
  root.resume()
  t.notOk(late.suspended)
  t.same([...root[LIFE].children], [near, far, late])
  t.equal(late[LIFE].parent, root)
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
    channel[LIFE].driver = {
      suspended: () => {},
      resumed,
      hookReturned: () => {},
      address: () => '',
      gauge: () => GAUGE,
    }
  }
  root[LIFE].addChild(near)
  root[LIFE].addChild(far)
  root.suspend()
  root.resume()
  t.same(log, ['root', 'near'])
  t.same(
    [root, near, far].map(channel => channel.suspended),
    [true, true, true],
  )
  root.resume()
  t.same(log, ['root', 'near', 'root', 'far', 'near'])
})

// A server that its connections suspend at every read: the one that came first was resumed first
// every time, and as long as it had a backlog no other was read at all.
t.test('REGRESSION: suspended again by each that is resumed, all have their turn', async t => {
  const root = new Bare()
  const log: string[] = []
  const child = (name: string): Bare => {
    const channel = new Bare({ name })
    drive(channel)
    channel[LIFE].driver!.resumed = () => {
      log.push(name)
      root.suspend()
    }
    root[LIFE].addChild(channel)
    return channel.open()
  }
  const [, second] = [child('a'), child('b'), child('c')]
  for (let n = 0; n < 5; n++) {
    root.suspend()
    root.resume()
  }
  t.same(log.splice(0), ['a', 'b', 'c', 'a', 'b'])
  second!.finish()
  for (let n = 0; n < 3; n++) root.resume()
  t.same(log, ['a', 'c', 'a'], 'the last one is gone: from the first one on')
})

t.test('children', async t => {
  const parent = new Bare()
  const calls = drive(parent)
  const [child, other] = [new Bare(), new Bare()]
  t.equal(parent[LIFE].children.size, 0)
  parent[LIFE].addChild(child)
  parent[LIFE].addChild(other)
  t.equal(new Bare()[LIFE].children.size, 0)
  child.open()
  child[LIFE].drain(true)
  t.equal(child.log.at(-2), 'close(true)')
  child[LIFE].finishClosing()
  t.equal(child.log.at(-1), 'close drain')
  t.same(calls, ['child closed'])
  other.open()
  t.equal(other.finish().at(-1), 'close local')
  t.equal(parent[LIFE].children.size, 0)
  // A parent that does not care.
  const indifferent = new Bare()
  const only = new Bare().open()
  indifferent[LIFE].addChild(only)
  only.finish()
  indifferent[LIFE].driver = {
    suspended: () => {},
    resumed: () => {},
    hookReturned: () => {},
    address: () => '',
    gauge: () => GAUGE,
  }
  indifferent[LIFE].addChild(only.open())
  only.finish()
  t.equal(indifferent[LIFE].children.size, 0)
})

// A connection was still among server.channels in its own on_close, so whoever counted there ("3
// are left") was one off.
t.test('in on_close it is no child any more, and its parent has not closed yet', async t => {
  const parent = new Bare()
  const child = new Bare().open()
  const calls = drive(parent)
  parent[LIFE].addChild(child)
  child.on_close = () => t.same([parent[LIFE].children.size, calls], [0, []])
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
  opened.begin()
  opened[LIFE].open('connect')
  t.equal(opened.state, 'closing')
  opened[LIFE].finishClosing()
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
  closed.begin()
  closed.close()
  closed[LIFE].finishClosing()
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

// A subscriber of 'sluice:accept' that closes the connection ended the process: "a channel cannot
// go from closing to active". Where it was told of 'sluice:connect', `opened` never settled.
t.test('closed by a subscriber that is told that it is open', async t => {
  const close = (message: unknown): void => (message as { channel: Bare }).channel.close()
  subscribe('sluice:accept', close)
  const channel = new Bare()
  channel.begin()
  channel[LIFE].open('accept')
  unsubscribe('sluice:accept', close)
  t.equal(channel.state, 'closing')
  channel[LIFE].finishClosing()
  t.same(channel.log, [
    'closed>opening',
    'close(false)',
    'opening>closing',
    'closing>closed',
    'closed>destroy',
    'close local',
  ])
  await t.rejects(channel.opened, { code: 'ERR_CLOSED' })
})

// Who opened a channel again when told 'closed' got an opening that rejected its promise at once,
// and that the engine had forgotten: what was left of the end of the last one was done to the new
// one.
t.test('opened again when told that it has closed', async t => {
  for (const signal of ['closed', 'destroy']) {
    const channel = new Bare()
    channel.on_state = (state, previous) => {
      channel.log.push(`${previous}>${state}`)
      if (state === signal && channel.log.length < 10) channel.begin()
    }
    channel.begin()
    const first = channel.opened
    channel.finish()
    await t.rejects(first, { code: 'ERR_CLOSED' })
    t.equal(channel.state, 'opening', signal)
    t.ok(engine.channels.has(channel))
    const second = channel.opened
    channel[LIFE].open('connect')
    t.equal(await second, channel)
    channel.on_state = () => {}
    channel.finish()
  }
})

t.test('the reason of a fault wins over others', async t => {
  const channel = new Bare().open()
  channel.on_error = () => channel[LIFE].beginClosing('remote')
  channel[LIFE].warn('on_error', new Error('too long'), 'overflow')
  channel[LIFE].finishClosing()
  t.equal(await channel.closed, 'overflow')
  channel.open()
  channel[LIFE].beginClosing('remote')
  channel[LIFE].finishClosing('timeout')
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
  channel[LIFE].finishClosing()
  await stopped
  t.equal(await channel.closed, 'drain')
})

t.test('what is told outside, and counted', async t => {
  const told: unknown[] = []
  const hear = (message: unknown, name: string | symbol): void =>
    void told.push([name, { ...(message as object), channel: undefined }])
  for (const name of ['accept', 'overflow', 'close']) subscribe(`sluice:${name}`, hear)
  const clock = new ManualClock(1000.5)
  const engine = new Engine({ clock, log: () => {} })
  const channel = new Bare({ engine })
  t.equal(channel[LIFE].since, 0)
  channel.begin()
  t.equal(channel[LIFE].since, 1001)
  clock.advance(50)
  channel[LIFE].open('accept')
  t.equal(channel[LIFE].since, 1051)
  t.match(engine.stats(), { accepted: 1, channels: { streams: { active: 1 } } })
  channel[LIFE].driver = {
    suspended: () => {},
    resumed: () => {},
    hookReturned: () => {},
    address: () => '',
    gauge: () => GAUGE,
  }
  t.match(engine.stats(), {
    channels: { datagrams: { active: 1 } },
    bytes_read: 3,
    bytes_written: 5,
    bytes_held: 7,
  })
  Object.assign(channel, { on_overflow_error: () => {} })
  const error = new Error('too much')
  channel[LIFE].warn('on_overflow_error', error)
  clock.advance(8)
  channel.close()
  channel[LIFE].finishClosing('remote')
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
  parent[LIFE].addChild(child)
  child[LIFE].drain(true)
  t.equal(child.state, 'active')
  t.match(logged.splice(0), [/^Child: Error: mine/])
  child[LIFE].beginClosing()
  child[LIFE].finishClosing()
})

// ---- channels that outlive their closing --------------------------------------------------------

/** A driver that hears of every state. */
function driveOn(channel: Living): string[] {
  const calls: string[] = []
  channel[LIFE].driver = {
    suspended: suspension => calls.push(suspension),
    resumed: () => {},
    hookReturned: () => {},
    address: () => '',
    gauge: () => ({ kind: 'message', bytes_read: 0, bytes_written: 0, bytes_held: 0 }),
    outlivesClosing: true,
    stateChanged: state => calls.push(state),
    childClosed: () => calls.push('child closed'),
  }
  return calls
}

t.test('one that is closed stays below its parent until it is destroyed', async t => {
  const [parent, child] = [new Bare(), new Bare()]
  const calls = driveOn(child)
  const ofParent = driveOn(parent)
  parent[LIFE].addChild(child)
  child.begin()
  child[LIFE].announce()
  t.same([calls, child.log], [['opening'], ['closed>opening']], 'told at once, the driver first')
  child[LIFE].announce()
  child[LIFE].open('open')
  child.close()
  child[LIFE].finishClosing()
  t.same(
    [calls.splice(0), child[LIFE].reason, parent[LIFE].reason],
    [['opening', 'active', 'closing', 'closed'], 'local', undefined],
  )
  t.equal(parent[LIFE].children.size, 1)
  child[LIFE].destroy()
  t.same([calls, parent[LIFE].children.size, child.log.at(-1)], [['destroy'], 0, 'closed>destroy'])
  t.same(ofParent, [], 'a child that may be opened again has not left')
  parent[LIFE].destroy()
  t.same(ofParent, ['destroy'], 'without a parent, too')
})

t.test('halt: only close leaves the error', async t => {
  const channel = new Bare()
  channel.on_error = error => void channel.log.push(error.message)
  channel.begin()
  const { opened } = channel
  channel[LIFE].halt(new Error('first'))
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
  channel[LIFE].halt(new Error('third'))
  t.equal(await channel.opened, channel, 'it was open')
  t.match(channel.finish(), /close error/)
})

t.test(
  'apart: a child that is added later is not suspended with its parent; what suspends is told',
  async t => {
    const [parent, child] = [new Bare(), new Bare()]
    const calls = driveOn(child)
    parent.suspend()
    parent[LIFE].addChild(child, 'apart')
    t.equal(child.suspended, false)
    parent.resume()
    parent.suspend()
    child.suspend()
    child.suspend()
    t.same(calls, ['above', 'own'])
  },
)

t.test('a misspelt hook is logged when it opens', async t => {
  class Misspelt extends Client {
    onRead(): void {}
  }
  const channel = new Misspelt({ engine, name: 'typo' })
  channel[LIFE].beginOpening()
  channel[LIFE].announce()
  t.match(logged, [/^typo: .*onRead.*on_read/])
  channel[LIFE].beginClosing()
  channel[LIFE].finishClosing()
})

t.test('why it could not be opened is logged, unless somebody looks at `opened`', async t => {
  for (const isLookedAt of [false, true]) {
    const channel = new Bare({ name: 'refused' })
    channel.on_error = error => channel[LIFE].log(error)
    if (isLookedAt) void channel.opened
    channel.begin()
    channel[LIFE].fail('on_error', new ClosedError('refused'))
    t.equal(logged.splice(0).length, isLookedAt ? 0 : 1)
    channel[LIFE].log(new Error('another'))
    t.equal(logged.splice(0).length, 1, 'anything else is logged')
    channel[LIFE].finishClosing()
  }
})

t.test('why it has failed to open', async t => {
  const channel = new Bare()
  const life = channel[LIFE]
  channel.begin()
  t.equal(life.error, undefined)
  const error = new Error('refused')
  life.fail('on_error', error)
  t.equal(life.error, error)
  channel.finish()
  channel.open()
  t.equal(life.error, undefined)
  channel.finish()
  logged.length = 0
})

/**
 * Hooks were told of a state inside the change to it. If a hook changed the state again, what came
 * of that was told first: on_error came after on_close or not at all, and on_close of one opening
 * after on_state('active') of the next.
 */
t.test('hooks are told in the order of what happened, whatever they do meanwhile', async t => {
  const channel = new Bare().open()
  const life = channel[LIFE]
  const told: string[] = []
  const close = (): void => {
    life.beginClosing()
    life.finishClosing()
  }
  let lives = 1
  channel.on_error = error => void told.push(error.message)
  channel.on_close = reason => void told.push(`on_close ${reason}`)
  channel.on_state = state => {
    told.push(state)
    if (state === 'error') close()
    if (state !== 'closed' || ++lives > 2) return
    channel.open()
    close()
  }
  life.halt(new Error('a fault'))
  const end = ['closing', 'closed', 'destroy']
  t.same(told.splice(0), [
    ...['error', 'a fault', ...end, 'on_close error'],
    ...['opening', 'active', ...end, 'on_close local'],
  ])
  channel.on_state = state => {
    if (state === 'error') close()
    if (state === 'destroy' && lives-- > 2) channel.open()
  }
  channel.open()
  life.fail('on_error', new Error('of the first life'))
  t.same(told, ['of the first life', 'on_close error'])
  t.equal(channel.state, 'active', 'the second goes on')
  channel.finish()
})
