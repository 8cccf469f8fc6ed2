/** What the class of a protocol fills in and calls: its defaults, failing, children, parameters. */

import t from 'tap'
import { Context } from '../../src/messages/context.ts'
import type { Init } from '../../src/messages/init.ts'
import { Message } from '../../src/messages/message.ts'
import { thrown } from '../kit.ts'
import { Bare, inState, make, type Short } from './bare.ts'
import { channelClass, dataOf, fault, stage, watch } from './kit.ts'

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

stage(t, 'on_message, on_control, callbacks', async (t, stage) => {
  const channel = inState(stage, 'active')
  const log: string[] = []
  channel.on_message = ({ data }) => void log.push(`message ${data}`)
  channel.on_control = ({ msgid }) => void log.push(`control ${msgid}`)
  const callback = ({ type }: Message): void => void log.push(`callback ${type}`)
  channel.callback_add(callback)
  channel.emit(new Message({ data: 'a' }))
  channel.emit({ type: 'control', msgid: 5 })
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
  // 'some is not a function'.
  t.match(
    fault(() => channel.update_dcaps('pending' as never)),
    "update_dcaps must be arrays, such as ['pending']",
  )
  channel.close(true)
  t.strictSame(
    said,
    ['Update process', 'closing', 'Update process|poll_in', 'closed'],
    'but reports about itself are delivered',
  )
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
    'add_child(): parent/x is already a child of parent; add it once',
  )
  // With two parents, the first kept a child that was destroyed. With a circle, closing never
  // ended.
  t.match(
    fault(() => make(stage).add_child(child)),
    'add_child(): parent/x is already a child of parent',
  )
  for (const each of [parent, child])
    t.match(
      fault(() => each.add_child(parent)),
      /^add_child\(\): parent.* is below parent; add another channel/,
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
    "new Bare: init must be what context.init() passes; call context.init('protocol://…')",
  )
  t.match(
    fault(() => new Bare(undefined as never)),
    'new Bare: init must be',
  )
})

stage(t, 'a class that overrides nothing', async (t, stage) => {
  stage.context.register(channelClass('plain', {}))
  const channel = stage.context.init('plain://').open()
  t.equal(channel.state, 'active')
  t.equal(channel.process(), false, 'nothing to do')
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

stage(t, 'by default nothing can be posted', async (t, { context }) => {
  context.register(channelClass('deaf', {}))
  t.match(
    fault(() => context.init('deaf://').open().post('x')),
    'post(): deaf:// takes no messages; it only gives them',
  )
})

stage(t, 'become_active, finish_close and fail do nothing in the wrong state', async (t, stage) => {
  const channel = make(stage)
  channel.become_active()
  channel.finish_close()
  channel.fail('why')
  t.equal(channel.state, 'closed')
  channel.open().finish_close()
  t.equal(channel.state, 'opening')
  // It had closed, and what it had opened went on.
  const open = inState(stage, 'active')
  open.on_state = () => open.finish_close()
  open.close()
  t.strictSame([open.state, open.calls], ['closing', ['close(false)']])
  open.finish_close()
  t.equal(open.state, 'closed')
  // It was active, and nothing was open: what was posted was an error of JavaScript.
  const early = stage.context.init('mem://')
  early.callback_add(() => early.become_active(), 'state')
  t.equal(early.open().post('x'), true)
  channel.on_error = () => {}
  channel.fail('why')
  t.match(channel.error, { message: 'why' }, 'the text becomes an Error')
  const { error } = channel
  channel.fail(new Error('again'))
  t.equal(channel.error, error)
})

// It came after on_close, which is the last hook of an opening; then it was not called at all.
stage(t, 'closed by force when it has failed: on_error comes before on_close', async (t, stage) => {
  const channel = inState(stage, 'active')
  const log: string[] = []
  channel.on_state = state => {
    if (state === 'error') channel.close(true)
  }
  channel.on_error = () => void log.push('error')
  channel.on_close = () => void log.push('close')
  channel.fail(new Error('broken'))
  t.strictSame(log.splice(0), ['error', 'close'])
  channel.on_message = () => void log.push('message')
  channel.emit('x')
  t.strictSame(log, [], 'nor does a message')
})

// They were ignored in silence: `open('seqq=5')` read the whole file.
stage(t, 'parameters of an opening that nobody asks for', async (t, stage) => {
  const channel = make(stage)
  const errors: string[] = []
  channel.on_error = error => void errors.push(error.message)
  channel.opening = () => {}
  t.equal(channel.open('a=1').state, 'error')
  t.match(errors, [/^this opening has no parameter a; there are none\n {2}a=1\n {2}\^/])
})

stage(t, 'parameters that are read later', async (t, { context }) => {
  context.register(channelClass('later', {}, { parameters: ['a', 'host'] }))
  t.equal(context.init('later://b=2;a=1').params.text('a'), '1')
})

stage(t, 'facts: their defaults', async (t, stage) => {
  const channel = make(stage)
  const { client_url, info, carries } = channel
  t.strictSame(
    [client_url, info, channel.half_close(), carries],
    [undefined, {}, false, { data: 'any', msgid: true, seq: true }],
  )
})

// What was no message went as an empty one, or was an error of JavaScript without a code.
stage(t, 'to several peers: what is refused', async (t, stage) => {
  const { context } = stage
  const channels = [make(stage), context.init('tcp://127.0.0.1:0;mode=server')]
  for (const channel of channels)
    for (const [messages, addrs, said] of [
      [null, [1], 'messages must be an array of messages; got null'],
      [[{ data: 'x' }], [1], 'messages must be an array of messages; got [an object (Object)]'],
      [[new Message()], null, 'addrs must be an array or a set; got null'],
      [[], 5, 'addrs must be an array or a set; got 5'],
    ] as const)
      t.match(
        fault(() => channel.do_post_all(messages as never, addrs as never)),
        `do_post_all: ${said}`,
      )
})

stage(t, 'to several peers: one after the other, by default', async (t, stage) => {
  const log: string[] = []
  const Made = channelClass('made', {
    do_post({ data, addr }: Message) {
      log.push(`${data} to ${String(addr)}`)
      return addr !== 2
    },
  })
  stage.context.register(Made)
  const channel = stage.context.init('made://').open()
  const two = [new Message({ data: 'a' }), new Message({ data: 'b' })]
  t.same(channel.do_post_all(two, [1, 2, 3]), [2])
  t.same(log, ['a to 1', 'b to 1', 'a to 2', 'a to 3', 'b to 3'])
})
