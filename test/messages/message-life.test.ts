/** The dcaps, suspending, the loop, and promises that hold the next message. */

import t from 'tap'
import { Message } from '../../src/messages/message.ts'
import { fate, turn } from '../kit.ts'
import { type Bare, inState, make } from './bare.ts'
import { type Stage, stage, watch } from './kit.ts'

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
