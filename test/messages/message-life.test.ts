/** The dcaps, suspending, the loop, and promises that hold the next message. */

import t from 'tap'
import { Message } from '../../src/messages/message.ts'
import { MESSAGE_LIFE } from '../../src/messages/message-life.ts'
import { fate, turn } from '../kit.ts'
import { type Bare, inState, make } from './bare.ts'
import { channelClass, type Stage, stage, watch } from './kit.ts'

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

// What they rejected with ended the process, and `async do_open` was active at once.
stage(t, 'methods of a class that return promises', async (t, { context }) => {
  const go: ((error?: Error) => void)[] = []
  const slow = (): Promise<void> =>
    new Promise((resolve, reject) =>
      go.push(error => (error === undefined ? resolve() : reject(error))),
    )
  context.register(
    channelClass('slow', {
      do_open: slow,
      do_post: slow,
      do_process: slow,
      do_close: slow,
      do_suspend: slow,
      do_resume: slow,
    }),
  )
  const channel = context.init('slow://')
  const errors: string[] = []
  channel.on_error = error => void errors.push(error.message)
  const settle = async (error?: Error): Promise<void> => {
    go.shift()!(error)
    await turn()
  }
  channel.open()
  t.equal(channel.state, 'opening')
  await settle()
  t.equal(channel.state, 'active')
  t.equal(channel.post('x'), true)
  await settle(new Error('do_post'))
  channel.suspend()
  await settle(new Error('do_suspend'))
  channel.resume()
  await settle(new Error('do_resume'))
  t.strictSame(errors.splice(0), ['do_post', 'do_suspend', 'do_resume'])
  t.equal(channel.state, 'active', 'it goes on')
  t.equal(channel.process(), true)
  t.equal(channel.process(), false, 'the next one waits')
  await settle()
  channel.process()
  await settle(new Error('do_process'))
  t.strictSame([channel.state, errors.splice(0)], ['error', ['do_process']])
  channel.close()
  t.equal(channel.state, 'closing')
  await settle()
  t.equal(channel.state, 'closed')
  channel.open()
  await settle(new Error('do_open'))
  channel.close()
  await settle(new Error('do_close'))
  t.strictSame([channel.state, errors.splice(0)], ['error', ['do_open', 'do_close']])
  channel.close(true)
  t.equal(channel.state, 'closed', 'by force: at once')
  await settle()
})

stage(t, 'what such a promise of an opening that is over does', async (t, stage) => {
  const go: ((value: unknown) => void)[] = []
  const slow = (): Promise<unknown> => new Promise(resolve => go.push(resolve))
  const { context } = stage
  context.register(channelClass('slow', { do_open: slow, do_process: slow, do_post: slow }))
  const channel = context.init('slow://').open()
  channel.close(true)
  channel.open()
  go.shift()!(undefined)
  await turn()
  t.equal(channel.state, 'opening', 'not the one that waits')
  go.shift()!('opening')
  await turn()
  t.equal(channel.state, 'opening', 'as without a promise')
  channel.close(true)
  channel.open()
  channel.close(true)
  go.shift()!(Promise.reject(new Error('late')))
  channel.open()
  go.shift()!(undefined)
  await turn()
  channel.process()
  channel.post('x')
  channel.close(true)
  channel.open()
  go.shift()!(Promise.reject(new Error('process')))
  go.shift()!(Promise.reject(new Error('post')))
  await turn()
  t.equal(channel.state, 'opening')
  t.match(stage.logged.splice(0), [/Error: late/, /Error: process/, /Error: post/])
})

stage(t, 'was it never opened, and may it be?', async (t, stage) => {
  const [channel, other] = [make(stage), make(stage)]
  t.equal(channel[MESSAGE_LIFE].isNew, true)
  channel.open().close(true)
  t.equal(channel[MESSAGE_LIFE].isNew, false)
  other.destroy()
  t.equal(other[MESSAGE_LIFE].isNew, false)
})

stage(t, 'a do_process of an opening that is over', async (t, { context, logged }) => {
  const go: ((value: unknown) => void)[] = []
  context.register(
    channelClass('slow', { do_process: () => new Promise(resolve => go.push(resolve)) }),
  )
  const channel = context.init('slow://').open()
  channel.process()
  channel.close(true)
  channel.open()
  go.shift()!(Promise.reject(new Error('of the last one')))
  await turn()
  t.equal(channel.state, 'active')
  t.match(logged.splice(0), [/Error: of the last one/])
})

stage(t, 'a hook that rejects after the channel has closed is logged', async (t, stage) => {
  const channel = inState(stage, 'active')
  channel.on_error = () => t.fail('on_close was the last hook')
  channel.on_message = async () => {
    await turn()
    throw new Error('late')
  }
  channel.emit('x')
  channel.close(true)
  await turn()
  await turn()
  t.match(stage.logged.splice(0), [/Error: late/])
})
