/** The life cycle, posting and receiving, as TLL describes them. */

import t from 'tap'
import { mayFollow } from '../../src/core/life-cycle.ts'
import { Message, STATES } from '../../src/messages/message.ts'
import { MESSAGE_LIFE } from '../../src/messages/message-life.ts'
import type { State } from '../../src/types.ts'
import { fate, thrown } from '../kit.ts'
import { Bare, inState, make } from './bare.ts'
import { channelClass, fault, stage, watch } from './kit.ts'

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

// It was destroyed, and active for ever: the context did not know it any more.
stage(t, 'on_close opens it again while it is destroyed', async (t, stage) => {
  const channel = inState(stage, 'active')
  channel.on_close = () => void channel.open()
  channel.destroy()
  t.equal(channel.state, 'closed')
  t.match(stage.logged.splice(0), [/open\(\): the channel was destroyed/])
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
  t.same(stage.logged.splice(0), [], 'nothing is logged if somebody looks at `opened`')
})

stage(t, 'opening: parameters, failures, hooks that close', async (t, stage) => {
  const channel = make(stage)
  t.match(
    fault(() => channel.open('nonsense')),
    /^a parameter is key=value/,
  )
  t.equal(channel.state, 'closed', 'nothing has changed')
  channel.opening = params => void params.values
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
  channel.opening = () => {}
  channel.on_error = () => {}
  t.equal(channel.open('a=1').state, 'error', 'nobody asks for it')
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
    [['a hook threw "this": throw an Error instead'], 0],
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
  const counted = inState(stage, 'active', 'bare://;stat=yes')
  t.equal(counted.post(new Message({ data: 'one' })), true)
  t.equal(counted.stat?.tx, 1)
  counted.destroy()
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

stage(t, 'a callback closes its own channel', async (t, stage) => {
  const channel = inState(stage, 'active')
  channel.work = () => void channel.emit(new Message({ data: 'x' }))
  channel.callback_add(() => channel.close(true), 'data')
  t.equal(channel.process(), true)
  t.equal(channel.state, 'closed')
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

stage(t, 'facts: stat, children', async (t, stage) => {
  t.equal(make(stage).stat, undefined)
  t.match(make(stage, 'bare://;stat=yes').stat, { rx: 0, tx: 0 })
  const parent = make(stage)
  const child = parent.make_child('bare://', 'x')
  t.strictSame([...parent.children], [child])
  parent.destroy()
  t.equal(
    thrown(() => child.open()),
    'ERR_INVALID_STATE',
    'a child is destroyed with its parent',
  )
})

stage(t, 'hooks and callbacks', async (t, stage) => {
  const channel = inState(stage, 'active')
  const types: string[] = []
  const callback = ({ type }: Message): void => void types.push(type)
  channel.callback_add(callback)
  channel.emit(new Message())
  channel.emit(new Message({ type: 'control' }))
  channel.callback_del(callback)
  channel.emit(new Message())
  t.strictSame(types, ['data', 'control'])
  channel.abort()
  t.equal(channel.state, 'closed')
})

stage(t, 'on_error: logs, or passes the error on to a prefix', async (t, stage) => {
  const channel = inState(stage, 'active')
  channel.fail(new Error('one'))
  t.match(stage.logged.splice(0), [/^noname-0 bare:..: Error: one/])
  channel.close(true)
  const errors: string[] = []
  channel[MESSAGE_LIFE].errorsTo = error => void errors.push(error.message)
  channel.open().fail(new Error('two'))
  t.strictSame([errors, stage.logged], [['two'], []])
})

stage(t, 'async do_close: closed when it is done', async (t, { context }) => {
  let done!: () => void
  context.register(
    channelClass('slow', { do_close: () => new Promise<void>(resolve => (done = resolve)) }),
  )
  const channel = context.init('slow://').open()
  channel.close()
  t.equal(channel.state, 'closing')
  done()
  await channel.closed
  channel.open().close(true)
  t.equal(channel.state, 'closed', 'by force: at once')
  done()
})

stage(t, 'async do_open, do_post, do_process', async (t, { context }) => {
  const slow = async (): Promise<void> => {}
  context.register(channelClass('slow', { do_open: slow, do_post: slow, do_process: slow }))
  const channel = context.init('slow://').open()
  t.equal(channel.state, 'opening')
  await channel.opened
  t.strictSame([channel.post('x'), channel.process(), channel.process()], [true, true, false])
})
