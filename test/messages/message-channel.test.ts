/** The life cycle, suspending, callbacks and posting, as TLL describes them. */

import t from 'tap'
import { mayFollow } from '../../src/core/life-cycle.ts'
import { Context } from '../../src/messages/context.ts'
import { Message, STATES } from '../../src/messages/message.ts'
import type { Init } from '../../src/messages/init.ts'
import { MessageChannel } from '../../src/messages/message-channel.ts'
import type { State } from '../../src/types.ts'
import { fate, thrown, turn } from '../kit.ts'
import { channelClass, dataOf, fault, type Stage, stage, watch } from './kit.ts'

/** A channel that opens and closes as the test says. */
class Bare extends MessageChannel {
  static override readonly protocol: string = 'bare'
  static override readonly caps = ['parent', 'long_close'] as const
  calls: string[] = []
  work: () => void | boolean = () => false
  opening: () => void | 'opening' = () => 'opening'
  closing: (force: boolean) => void = () => {}
  override do_open(): void | 'opening' {
    return this.opening()
  }
  override do_close(force: boolean): void {
    this.calls.push(`close(${force})`)
    this.closing(force)
  }
  override do_process(): void | boolean {
    this.calls.push('process')
    return this.work()
  }
  override do_post({ data }: Message): void | boolean {
    this.calls.push(`post ${data}`)
    return String(data) !== 'too much'
  }
}

class Short extends Bare {
  static override readonly protocol = 'short'
  static override readonly caps = [] as never
}

function make<Kind extends MessageChannel = Bare>({ context }: Stage, url = 'bare://'): Kind {
  for (const each of [Bare, Short])
    if (!context.protocols.includes(each.protocol)) context.register(each)
  return context.init(url) as Kind
}

/** Makes a channel and brings it to that state. */
function inState(stage: Stage, state: State, url?: string): Bare {
  const channel = make(stage, url)
  if (state === 'closed') return channel
  channel.open()
  if (state === 'active' || state === 'closing') channel.become_active()
  if (state === 'closing') channel.close()
  if (state === 'error') channel.fail(new Error('broken'))
  t.equal(channel.state, state)
  return channel
}

// ---- life cycle ---------------------------------------------------------------------------------

const EVENTS: Record<string, (channel: Bare) => void> = {
  open: channel => channel.open(),
  close: channel => channel.close(),
  'close by force': channel => channel.close(true),
  'become active': channel => channel.become_active(),
  fail: channel => channel.fail('why'),
  finish: channel => channel.finish_close(),
  'process throws': channel => {
    channel.work = () => {
      throw new Error('work')
    }
    channel.process()
  },
}

/**
 * The state that each event leads to, by the state before it, for a channel with 'long_close'. An
 * event that throws does not change the state.
 */
const TABLE: Record<string, Record<State, string>> = {
  open: {
    closed: 'opening',
    opening: 'throws',
    active: 'throws',
    closing: 'throws',
    error: 'throws',
  },
  close: {
    closed: 'closed',
    opening: 'closing',
    active: 'closing',
    closing: 'closing',
    error: 'closing',
  },
  'close by force': {
    closed: 'closed',
    opening: 'closed',
    active: 'closed',
    closing: 'closed',
    error: 'closed',
  },
  'become active': {
    closed: 'closed',
    opening: 'active',
    active: 'active',
    closing: 'closing',
    error: 'error',
  },
  fail: { closed: 'closed', opening: 'error', active: 'error', closing: 'error', error: 'error' },
  finish: {
    closed: 'closed',
    opening: 'opening',
    active: 'active',
    closing: 'closed',
    error: 'error',
  },
  'process throws': {
    closed: 'closed',
    opening: 'error',
    active: 'error',
    closing: 'error',
    error: 'error',
  },
}

stage(t, 'every state × every event', async (t, stage) => {
  for (const [event, row] of Object.entries(TABLE)) {
    for (const [from, to] of Object.entries(row) as [State, string][]) {
      const channel = inState(stage, from)
      const log = watch(channel).slice(0, 0)
      channel.callback_add(({ msgid }) => void log.push(STATES[msgid] as string), 'state')
      const code = thrown(() => EVENTS[event]!(channel))
      t.equal(code, to === 'throws' ? 'ERR_INVALID_STATE' : 'nothing', `${event} in ${from}`)
      t.equal(channel.state, to === 'throws' ? from : to, `${event} in ${from}`)
      // Each step on the way is allowed by the table of the life cycle, and reported.
      const path = [from, ...log]
      for (let at = 1; at < path.length; at++)
        t.ok(mayFollow(path[at - 1] as State, path[at] as State), path.join(' > '))
      t.equal(path.at(-1), channel.state)
      channel.destroy()
    }
  }
})

stage(t, 'the order of events', async (t, stage) => {
  const channel = make(stage)
  const log = watch(channel)
  channel.on_state = (state, previous) => void log.push(`${previous}>${state}`)
  channel.on_close = reason => void log.push(`on_close ${reason}`)
  channel.open()
  t.strictSame(log.splice(0), ['opening', 'closed>opening', 'Update '])
  channel.become_active()
  t.strictSame(log.splice(0), ['active', 'opening>active'])
  channel.close()
  t.strictSame(
    [channel.calls.splice(0), log.splice(0)],
    [['close(false)'], ['closing', 'active>closing']],
  )
  channel.close()
  t.strictSame(channel.calls, [], 'a second close is ignored')
  t.match(
    fault(() => channel.open()),
    'open(): the channel is closing; await its `closed` first',
  )
  channel.close(true)
  t.strictSame(channel.calls.splice(0), ['close(true)'], 'a forced one is not')
  t.strictSame(log.splice(0), ['Update process', 'closed', 'closing>closed', 'on_close local'])
  channel.open().become_active()
  log.length = 0
  channel.destroy()
  t.strictSame(
    log.splice(0).filter(each => !each.includes('>')),
    ['closing', 'Update process', 'closed', 'on_close local', 'destroy'],
  )
  channel.destroy()
  t.strictSame(log, [], 'once')
  t.match(
    fault(() => channel.open()),
    'open(): the channel was destroyed; make another with context.init()',
  )
})

stage(t, 'opened and closed', async (t, stage) => {
  const channel = inState(stage, 'active')
  t.equal(await channel.opened, channel)
  const { closed } = channel
  channel.end()
  t.equal(await fate(closed), 'open')
  channel.finish_close('remote')
  t.equal(await closed, 'remote')
  channel.open()
  const { opened } = channel
  channel.fail(new Error('no luck'))
  t.equal(await fate(opened), 'rejected no luck', 'at once, although it stays in error')
  t.equal(await fate(channel.opened), 'rejected no luck')
  channel.close(true)
  t.equal(await channel.closed, 'error')
  t.match(stage.logged.splice(0), [/^noname-0 bare:..: Error: no luck/])
})

stage(t, 'opening: parameters, failures, hooks that close', async (t, stage) => {
  const channel = make(stage)
  t.match(
    fault(() => channel.open('nonsense')),
    /^a parameter is key=value/,
  )
  t.equal(channel.state, 'closed', 'nothing has changed')
  channel.opening = () => {}
  channel.open({ a: 1, b: true })
  t.equal(channel.state, 'active', 'returning nothing: it is ready')
  t.match(channel.config, {
    state: 'active',
    init: 'bare://',
    open: 'a=1;b=yes',
    info: {},
    client: undefined,
  })
  channel.close(true)
  channel.open()
  t.equal(channel.config.open, '', 'replaced by each opening')
  channel.close(true)
  const errors: string[] = []
  channel.on_error = error => void errors.push(error.message)
  channel.opening = () => {
    throw 'this'
  }
  t.equal(channel.open().state, 'error')
  t.strictSame(
    [errors, channel.dcaps.size],
    [['this'], 0],
    'nothing was opened, so nothing is processed',
  )
  channel.close(true)
  channel.on_state = state => {
    if (state === 'opening') channel.close(true)
  }
  t.equal(channel.open().state, 'closed')
  t.equal(channel.dcaps.size, 0)
})

stage(t, 'closing: when it fails, and when it never does', async (t, stage) => {
  const long = inState(stage, 'active')
  const throws = (): never => {
    throw new Error('stuck')
  }
  long.closing = throws
  long.on_error = () => {}
  long.close()
  t.equal(long.state, 'error', 'a long close that fails')
  long.close(true)
  t.equal(long.state, 'closed')
  t.match(stage.logged.splice(0), [/stuck/], 'a forced close logs it and goes on')
  const short = inState(stage, 'active', 'short://')
  short.closing = throws
  short.close()
  t.equal(short.state, 'closed')
  t.match(stage.logged.splice(0), [/stuck/])
  const other = inState(stage, 'active')
  other.on_state = state => {
    if (state === 'closing') other.close(true)
  }
  other.close()
  t.strictSame(
    [other.state, other.calls],
    ['closed', ['close(true)']],
    'closed by force inside the hook',
  )
  t.equal(
    thrown(() => other.close('yes' as never)),
    'ERR_INVALID_ARGUMENT',
  )
})

// The channel stayed in 'error'.
stage(t, 'a hook calls fail while the channel is closed by force', async (t, stage) => {
  const channel = inState(stage, 'active')
  channel.on_state = state => {
    if (state === 'closing') channel.fail(new Error('not now'))
  }
  channel.close(true)
  t.equal(channel.state, 'closed')
  t.match(stage.logged.splice(0), [/not now/])
  channel.open().close()
  t.equal(channel.state, 'error', 'politely it may')
  t.match(stage.logged.splice(0), [/not now/])
})

stage(t, 'a hook closes the channel while it finishes', async (t, stage) => {
  const parent = inState(stage, 'active')
  const child = make(stage)
  parent.add_child(child)
  child.open().become_active()
  child.on_close = () => parent.close(true)
  parent.close()
  parent.finish_close()
  t.equal(parent.state, 'closed', 'closed once, by the child')
})

stage(t, 'the engine stops', async (t, stage) => {
  const { engine, advance, pump } = stage
  const channel = inState(stage, 'active')
  const stopped = engine.stop({ timeout: 10 })
  t.equal(channel.state, 'closing', 'politely')
  await advance(10)
  t.equal(channel.state, 'closed', 'and then at once')
  t.equal(await channel.closed, 'drain')
  await pump()
  await stopped
})

// ---- posting and receiving ----------------------------------------------------------------------

stage(t, 'post in every state', async (t, stage) => {
  const expected: Record<State, unknown> = {
    closed: 'ERR_INVALID_STATE',
    opening: 'ERR_INVALID_STATE',
    active: true,
    closing: false,
    error: false,
  }
  for (const [state, result] of Object.entries(expected) as [State, unknown][]) {
    const channel = inState(stage, state)
    let posted: unknown
    const code = thrown(() => (posted = channel.post('x')))
    t.equal(posted ?? code, result, state)
    channel.destroy()
  }
  const channel = inState(stage, 'active')
  t.equal(channel.post({ data: 'too much', msgid: 5 }), false)
  t.equal(channel.state, 'active', 'a post that fails changes nothing')
  t.equal(
    thrown(() => channel.post(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
  channel.close(true)
  t.equal(channel.post('late'), false, 'it was open: no mistake')
  stage.context.register(channelClass('deaf', {}))
  t.match(
    fault(() => stage.context.init('deaf://').open().post('x')),
    'post(): deaf:// takes no messages; it only gives them',
  )
  stage.context.register(
    channelClass(
      'eager',
      { do_open: () => 'opening', do_post() {} },
      { post_policy: 'always', caps: ['long_close'] },
    ),
  )
  const eager = stage.context.init('eager://')
  t.equal(
    thrown(() => eager.post('x')),
    'ERR_INVALID_STATE',
  )
  t.equal(eager.open().post('x'), true, 'posted while it opens')
  eager.close()
  t.equal(eager.post('x'), true, 'and while it closes')
  stage.logged.length = 0
})

stage(t, 'process', async (t, stage) => {
  for (const state of ['closed', 'opening', 'active', 'closing', 'error'] as const) {
    const channel = inState(stage, state)
    channel.work = () => {}
    const isProcessed = state !== 'closed' && state !== 'error'
    t.equal(channel.process(), isProcessed, state)
    channel.work = () => false
    t.equal(channel.process(), false, 'nothing to do')
    t.equal(channel.dcaps.has('process'), state !== 'closed', 'also in error, until it is closed')
    channel.destroy()
  }
  const channel = inState(stage, 'active')
  channel.update_dcaps([], ['process'])
  t.strictSame([channel.process(), channel.calls], [false, []], 'without process')
  channel.update_dcaps(['process'])
  channel.suspend()
  t.strictSame([channel.process(), channel.calls], [false, []], 'suspended')
  stage.context.register(channelClass('idle', {}))
  t.equal(stage.context.init('idle://').open().process(), false, 'the default does nothing')
  stage.logged.length = 0
})

// The channel failed while it was processed, and was not processed again, although on_error had
// opened it and it was pending.
stage(t, 'opened again in on_error', async (t, stage) => {
  const channel = inState(stage, 'active')
  channel.work = () => {
    throw new Error('x')
  }
  channel.on_error = () => {
    channel.close(true)
    channel.work = () => channel.update_dcaps([], ['pending'])
    channel.open().become_active()
    channel.update_dcaps(['pending'])
  }
  channel.update_dcaps(['pending'])
  await stage.pump()
  t.strictSame([channel.state, channel.calls], ['active', ['process', 'close(true)', 'process']])
})

stage(t, 'on_message, on_control, callbacks', async (t, stage) => {
  const channel = inState(stage, 'active')
  const log: string[] = []
  channel.on_message = ({ data }) => void log.push(`message ${data}`)
  channel.on_control = ({ msgid }) => void log.push(`control ${msgid}`)
  const callback = ({ type }: Message): void => void log.push(`callback ${type}`)
  channel.callback_add(callback)
  channel.emit(new Message({ data: 'a' }))
  channel.emit(new Message({ type: 'control', msgid: 5 }))
  t.strictSame(log.splice(0), ['message a', 'callback data', 'control 5', 'callback control'])
  channel.callback_del(callback)
  t.equal(
    thrown(() => channel.callback_del(callback)),
    'ERR_INVALID_STATE',
  )
  channel.on_message = () => {
    throw new Error('hook')
  }
  channel.callback_add(() => {
    throw new Error('callback')
  }, 'data')
  channel.emit(new Message())
  t.match(stage.logged.splice(0), [/: Error: hook/, /: Error: callback/])
  t.equal(channel.state, 'active', 'an error of a hook or callback does not end the channel')
  channel.on_error = () => {}
  channel.fail(new Error('x'))
  t.equal(channel.emit(new Message()), undefined)
  t.equal(channel.emit(new Message({ type: 'control' })), undefined)
  t.strictSame(log, [], 'nothing is received in error')
  const said = watch(channel)
  channel.update_dcaps(['poll_in'])
  channel.close(true)
  t.strictSame(
    said,
    ['Update process', 'closing', 'Update process|poll_in', 'closed'],
    'but reports about itself are delivered',
  )
})

stage(t, 'a callback closes its own channel', async (t, stage) => {
  const channel = inState(stage, 'active')
  channel.work = () => void channel.emit(new Message({ data: 'x' }))
  channel.callback_add(() => channel.close(true), 'data')
  t.equal(channel.process(), true)
  t.equal(channel.state, 'closed')
})

stage(t, 'promises hold the next message', async (t, stage) => {
  const channel = inState(stage, 'active')
  const go: (() => void)[] = []
  channel.work = () => void channel.emit(new Message({ data: 'x' }))
  channel.on_message = () => new Promise<void>(resolve => go.push(resolve))
  channel.callback_add(
    () => new Promise<void>((_resolve, reject) => go.push(() => reject(new Error('slow')))),
    'data',
  )
  channel.update_dcaps(['pending'])
  await stage.pump()
  t.equal(go.length, 2, 'processed once')
  t.equal(channel.process(), false)
  go[0]!()
  await stage.pump()
  t.equal(go.length, 2, 'until both have settled')
  go[1]!()
  await stage.pump()
  t.equal(go.length, 4)
  t.match(stage.logged.splice(0), [/slow/], 'a rejection is reported and does not end the channel')
  const waits = channel.emit(new Message())
  t.equal(await fate(waits as Promise<void>), 'open', 'emit returns a promise to wait for')
  channel.on_state = async () => {}
  channel.callback_add(async () => {}, 'state')
  channel.close(true)
  for (const each of go) each()
  await turn()
  stage.logged.length = 0
})

// ---- suspending, children -----------------------------------------------------------------------

function tree(stage: Stage): {
  p: Bare
  a: Bare
  b: Bare
  inner: Bare
  log: string[]
  dcaps: () => string[]
} {
  const [p, a, b, inner] = ['p', 'a', 'b', 'inner'].map(name =>
    make(stage, `bare://;name=${name}`),
  ) as [Bare, Bare, Bare, Bare]
  p.add_child(a)
  p.add_child(b)
  b.add_child(inner)
  const log: string[] = []
  for (const each of [p, a, b, inner]) {
    each.open().become_active()
    watch(each, log, `${each.name}: `)
  }
  return {
    p,
    a,
    b,
    inner,
    log,
    dcaps: () =>
      [p, a, b, inner].map(({ dcaps }) =>
        dcaps.has('suspend_permanent') ? 'S' : dcaps.has('suspend') ? 's' : '-',
      ),
  }
}

stage(t, 'suspend: the tree', async (t, stage) => {
  const { p, a, b, inner, log, dcaps } = tree(stage)
  p.suspend()
  t.strictSame(dcaps(), ['S', 's', 's', 's'])
  t.strictSame(
    log.splice(0),
    ['p: Update process', 'a: Update process', 'b: Update process', 'inner: Update process'],
    'each changed one says so, once',
  )
  p.suspend()
  t.strictSame(log.splice(0), [], 'a second time: nothing')
  p.resume()
  t.strictSame(dcaps(), ['-', '-', '-', '-'])
  b.suspend()
  p.suspend()
  t.strictSame(dcaps(), ['S', 's', 'S', 's'])
  p.resume()
  t.strictSame(
    dcaps(),
    ['-', '-', 'S', 's'],
    'a channel that was suspended itself stays suspended, with its subtree',
  )
  b.resume()
  t.strictSame(dcaps(), ['-', '-', '-', '-'])
  p.suspend()
  a.suspend()
  t.strictSame(dcaps(), ['S', 'S', 's', 's'])
  a.resume()
  t.strictSame(dcaps(), ['S', '-', 's', 's'], 'it runs although its parent is suspended')
  p.resume()
  t.strictSame(dcaps(), ['-', '-', '-', '-'])
  p.suspend()
  const late = make(stage)
  p.add_child(late)
  t.equal(late.suspended, false, 'a child that is added later is not suspended')
  p.resume()
  t.ok(inner)
})

stage(t, 'suspend outlives closing, and what is pending waits', async (t, stage) => {
  const channel = inState(stage, 'active')
  channel.suspend()
  channel.close(true)
  t.strictSame([...channel.dcaps], ['suspend', 'suspend_permanent'])
  channel.open()
  t.strictSame([...channel.dcaps], ['suspend', 'suspend_permanent', 'process'])
  channel.update_dcaps(['pending'])
  await stage.pump()
  t.strictSame(channel.calls, ['close(true)'])
  channel.resume()
  await stage.pump()
  t.strictSame(channel.calls, ['close(true)', 'process'])
})

stage(t, 'children', async (t, stage) => {
  const parent = make(stage, 'bare://;name=parent')
  const log = watch(parent)
  const child = parent.make_child('bare://;name=ignored', 'x') as Bare
  t.strictSame(
    [child.name, [...child.caps], stage.context.get('parent/x')],
    ['parent/x', ['parent', 'long_close', 'custom'], undefined],
  )
  t.strictSame([...parent.children], [child])
  t.match(
    fault(() => parent.add_child(child)),
    'add_child(): parent/x is a child of parent already; add it once',
  )
  // With two parents, the first kept a child that was destroyed. With a circle, closing never
  // ended.
  t.match(
    fault(() => make(stage).add_child(child)),
    'add_child(): parent/x is a child of parent already',
  )
  for (const each of [parent, child])
    t.match(
      fault(() => each.add_child(parent)),
      /^add_child\(\): parent.* is below parent; add another one/,
    )
  t.equal(
    thrown(() => parent.add_child('x' as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.match(
    fault(() => make<Short>(stage, 'short://').add_child(child)),
    "add_child(): 'parent' is not among its caps",
  )
  const slave = make(stage)
  const ofMaster = stage.context.init('bare://', { master: slave })
  t.equal(ofMaster.make_child('bare://', 'y').master, slave, 'a master is handed down')
  parent.open().become_active()
  child.open().become_active()
  parent.close()
  parent.finish_close()
  t.equal(child.state, 'closed', 'closed by force')
  t.strictSame([...parent.children], [child], 'but still its child, to be opened again')
  child.open().become_active()
  child.destroy()
  t.equal(parent.children.size, 0)
  t.strictSame(
    log.filter(each => /Add|Delete/.test(each)),
    ['Add parent/x', 'Delete parent/x'],
  )
  const other = parent.make_child('bare://', 'z')
  parent.destroy()
  t.match(
    fault(() => other.open()),
    'destroyed',
    'with its parent',
  )
})

// ---- parameters of every channel ----------------------------------------------------------------

stage(t, 'dir, stat, dump', async (t, stage) => {
  const caps = (dir: string): string[] => [...make<Short>(stage, `short://;dir=${dir}`).caps]
  t.strictSame(['r', 'w', 'rw', 'in', 'out', 'inout'].map(caps), [
    ['in'],
    ['out'],
    ['in', 'out'],
    ['in'],
    ['out'],
    ['in', 'out'],
  ])
  t.match(
    fault(() => make(stage, 'bare://;dir=up')),
    'dir must be one of r, w, rw, in, out, inout; got "up"',
  )
  const channel = inState(stage, 'active', 'bare://;stat=yes;dump=frame;name=d')
  channel.post('abc')
  channel.post('too much')
  channel.emit(new Message({ data: 'xy', seq: 1n }))
  t.match(channel.stat?.swap(), { rx: 1, rxb: 2, tx: 1, txb: 3 })
  t.strictSame(stage.logged.splice(0), [
    'd: post: data, msgid 0, 3 bytes',
    'd: not posted: data, msgid 0, 8 bytes',
    'd: recv: data, msgid 0, seq 1, 2 bytes',
  ])
  t.equal(make(stage).stat, undefined)
  for (const wrong of ['stat=maybe', 'dump=some'])
    t.match(
      fault(() => make(stage, `bare://;${wrong}`)),
      'must be',
    )
})

t.test('only a context makes channels', async t => {
  t.match(
    fault(() => new Bare({} as Init)),
    "new Bare must be what context.init() gives; call context.init('protocol://…')",
  )
  t.match(
    fault(() => new Bare(undefined as never)),
    'new Bare must be',
  )
})

stage(t, 'a class that overrides nothing', async (t, stage) => {
  stage.context.register(channelClass('plain', {}))
  const channel = stage.context.init('plain://').open()
  t.equal(channel.state, 'active')
  channel.suspend()
  channel.resume()
  const texts = dataOf(channel)
  channel.emit(new Message({ data: 'x' }))
  channel.emit(new Message({ type: 'control' }))
  t.strictSame(texts, ['x'])
  channel.close()
  t.equal(channel.state, 'closed')
  t.ok(new Context())
})

stage(t, 'recv and for await', async (t, stage) => {
  const channel = inState(stage, 'active')
  const received = channel.recv()
  const control = channel.recv({ type: 'control' })
  channel.emit(new Message({ type: 'control', msgid: 3 }))
  channel.emit(new Message({ data: 'x' }))
  t.strictSame([String((await received).data), (await control).msgid], ['x', 3])
  const texts: string[] = []
  const loop = (async () => {
    for await (const { data } of channel) texts.push(String(data))
  })()
  channel.emit(new Message({ data: 'y' }))
  channel.close(true)
  await loop
  t.strictSame(texts, ['y'])
})
