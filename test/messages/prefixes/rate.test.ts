import t from 'tap'
import { Control } from '../../../src/messages/message.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import type { Prefix } from '../../../src/messages/prefixes/prefix.ts'
import { thrown } from '../../kit.ts'
import { fault, type Stage, stage, watch } from '../kit.ts'

/** A prefix before a slave, and the master that the test uses. */
function open(
  { context }: Stage,
  parameters: string,
  child = 'direct',
  master_parameters = '',
): [Prefix, MessageChannel] {
  const master = context.init(`${child}://;name=m${master_parameters}`).open()
  return [context.init(`rate+${child}://;master=m;${parameters}`).open() as Prefix, master]
}

const repeat = (count: number, body: () => boolean): string =>
  Array.from({ length: count }, () => (body() ? 'y' : 'n')).join('')

stage(t, 'posting, in bytes', async (t, stage) => {
  // 1 byte per ms; 8 bytes at first.
  const [rate, master] = open(stage, 'speed=1000b;max-window=16b')
  const log = watch(rate)
  t.equal(
    repeat(5, () => rate.post('12345')),
    'yynnn',
    '8, 3: passes, and 2 are owed',
  )
  t.strictSame(log.splice(0), ['WriteFull'], 'once')
  stage.clock.advance(2)
  t.strictSame(log, [])
  stage.clock.advance(1)
  t.strictSame(log.splice(0), ['WriteReady'])
  // It was told when a post had been refused: a program that stops at WriteFull lost that message.
  t.equal(rate.post('12345'), true)
  t.strictSame(log.splice(0), ['WriteFull'], 'in the post that used the limit up')
  t.equal(rate.post({ type: 'control', msgid: 99 }), true, 'control is not counted')
  master.post({ type: 'control', msgid: 10 })
  t.strictSame(log.splice(0), ['Connect'], 'other reports of the child are passed on')
  stage.clock.advance(1000)
  t.equal(
    repeat(6, () => rate.post('12345')),
    'yyyynn',
    'after a pause: the window',
  )
})

// After the bucket was used up, a fraction of a token let the next message pass: twice the window
// went in a few microseconds.
stage(t, 'whole tokens count', async (t, stage) => {
  const [rate] = open(stage, 'unit=message;speed=1000;max-window=2;initial=2')
  t.equal(
    repeat(3, () => rate.post('a')),
    'yyn',
  )
  stage.clock.advance(0.5)
  t.equal(rate.post('a'), false)
  stage.clock.advance(0.5)
  t.equal(rate.post('a'), true)
})

stage(
  t,
  'a callback inside the post posts, too; a post that fails costs nothing',
  async (t, stage) => {
    const [rate, master] = open(stage, 'unit=message;speed=1;max-window=2;initial=2')
    let nested = ''
    master.on_message = ({ data }) => {
      if (String(data) === 'a') nested = repeat(2, () => rate.post('b'))
    }
    t.equal(rate.post('a'), true)
    t.equal(nested, 'yn')
    const full = stage.context
      .init('rate+mem://;name=q;size=64b;unit=message;speed=1;max-window=2;initial=2')
      .open()
    t.equal(
      thrown(() => full.post('x'.repeat(100))),
      'ERR_INVALID_ARGUMENT',
    )
    t.equal(
      repeat(3, () => full.post('x')),
      'yyn',
    )
  },
)

// One flag stood for the WriteFull of any peer, and only a WriteReady took it back: a peer that did
// not read, and left, silenced the server for all others, for ever.
stage(
  t,
  'before a server: what is full for one peer is not full for the others',
  async (t, stage) => {
    const { context } = stage
    const room = context.init('rate+mem://;mode=server;name=room;speed=1mb;max-window=1mb;size=64b')
    const told: unknown[] = []
    room.on_control = ({ msgid, addr }) => void told.push(msgid, addr)
    room.open()
    const [slow, good] = [context.init('mem://;master=room'), context.init('mem://;master=room')]
    slow.suspend()
    slow.open()
    good.open()
    stage.clock.advance(0)
    told.length = 0
    room.post({ data: 'x'.repeat(40), addr: 1 })
    t.strictSame(told.splice(0), [Control.WriteFull, 1])
    t.equal(room.post({ data: 'x', addr: 1 }), false)
    t.equal(room.post({ data: 'x', addr: 2 }), true)
    slow.destroy()
    stage.clock.advance(0)
    t.strictSame(told, [Control.Disconnect, 1])
    t.equal(room.post({ data: 'x', addr: 2 }), true)
  },
)

stage(
  t,
  'shared: all are told, also one that opens meanwhile, and whoever is left',
  async (t, stage) => {
    const { context, clock } = stage
    const url = 'rate+null://;'
    const one = context.init(`${url}name=one;speed=1000b;max-window=16b`)
    const two = context.init(`${url}name=two;master=one`)
    const late = context.init(`${url}name=late;master=one`)
    const told: string[] = []
    for (const each of [one, two, late])
      each.on_control = ({ msgid }) =>
        void told.push(`${each.name} ${msgid === Control.WriteFull ? 'full' : 'ready'}`)
    one.open()
    two.open()
    one.post('x'.repeat(20))
    t.strictSame(told.splice(0), ['one full', 'two full'])
    late.open()
    t.strictSame(told.splice(0), ['late full'])
    t.equal(late.post('x'), false)
    one.destroy()
    clock.advance(100)
    t.strictSame(told.splice(0), ['two ready', 'late ready'], 'its master has gone')
    t.equal(two.post('x'), true)
    late.on_state = state => {
      if (state === 'active') late.close(true)
    }
    late.close(true)
    late.open()
    two.close()
    t.equal(clock.pending, 0)
  },
)

stage(t, 'posting, in messages', async (t, stage) => {
  const [rate] = open(
    stage,
    'speed=10;unit=message;interval=100ms;max-window=4;initial=2;watermark=2',
  )
  t.equal(
    repeat(4, () => rate.post('a')),
    'yynn',
  )
  const log = watch(rate)
  stage.clock.advance(19)
  t.strictSame(log, [])
  stage.clock.advance(1)
  t.strictSame(log, ['WriteReady'], 'two again')
})

stage(t, 'a child whose queue is full', async (t, stage) => {
  const [rate, master] = open(
    stage,
    'speed=1kb;interval=1024ms;max-window=100b;initial=60b',
    'mem',
    ';size=64b',
  )
  const log = watch(rate)
  t.equal(rate.post('x'.repeat(40)), true)
  t.equal(rate.post('x'.repeat(40)), false, 'the child')
  t.equal(rate.post('x'), false)
  t.strictSame(log.splice(0), ['WriteFull'])
  master.process()
  t.strictSame(log.splice(0), ['WriteReady'])
  t.equal(
    repeat(2, () => rate.post('x'.repeat(40))),
    'yn',
    'now both',
  )
  t.strictSame(log.splice(0), ['WriteFull'])
  stage.clock.advance(100)
  master.process()
  t.strictSame(log.splice(0), ['WriteReady'], 'when none is left')
})

stage(t, 'receiving: the child is suspended', async (t, stage) => {
  const [rate, master] = open(stage, 'speed=1000b;max-window=10b;rate.dir=r', 'mem')
  const times: number[] = []
  rate.on_message = () => void times.push(stage.engine.now)
  t.equal(
    repeat(5, () => master.post('12345')),
    'yyyyy',
  )
  t.equal(
    repeat(5, () => rate.post('not counted')),
    'yyyyy',
  )
  stage.clock.advance(100)
  t.strictSame(times, [0, 1, 6, 11, 16])
  rate.close()
  t.equal(rate.child.suspended, false)
})

stage(t, 'the prefix is suspended while it waits', async (t, stage) => {
  const [rate, master] = open(stage, 'speed=1000b;max-window=10b;rate.dir=r', 'mem')
  const times: number[] = []
  rate.on_message = () => void times.push(stage.engine.now)
  for (const data of ['12345', '12345']) master.post(data)
  stage.clock.advance(0)
  rate.suspend()
  stage.clock.advance(50)
  t.strictSame(
    [times, rate.child.suspended],
    [[0], true],
    'its time has come, but the prefix is suspended',
  )
  rate.resume()
  stage.clock.advance(0)
  t.strictSame(times, [0, 50])
  master.post('1234567890')
  stage.clock.advance(0)
  rate.suspend()
  rate.resume()
  t.equal(rate.child.suspended, true, 'its time has not come')
})

stage(t, 'several limits: all of them apply', async (t, stage) => {
  const [rate] = open(
    stage,
    'speed=1000b;max-window=100b;bucket.x.speed=10;bucket.x.unit=message;' +
      'bucket.x.max-window=4;rate.bucket.y.speed=1mb',
  )
  t.equal(
    repeat(3, () => rate.post('x')),
    'yyn',
    'two messages',
  )
  stage.clock.advance(1000)
  t.equal(
    repeat(3, () => rate.post('x'.repeat(60))),
    'yyn',
    'and now the bytes',
  )
})

stage(t, 'limits that are shared', async (t, stage) => {
  const { context, clock } = stage
  const one = context.init('rate+null://;name=one;speed=1000b;max-window=16b').open()
  const two = context.init('rate+null://;master=one').open()
  t.equal(repeat(2, () => one.post('12345')) + repeat(2, () => two.post('x')), 'yynn')
  clock.advance(10)
  t.equal(repeat(2, () => two.post('12345678')) + repeat(2, () => one.post('x')), 'ynnn')
})

stage(t, 'opened again; by force', async (t, stage) => {
  const [rate] = open(stage, 'speed=1000b;max-window=10b')
  t.equal(
    repeat(3, () => rate.post('12345')),
    'ynn',
  )
  rate.close(true)
  stage.clock.advance(0)
  t.equal(stage.clock.pending, 0, 'no timer is left')
  rate.open()
  t.equal(rate.post('12345'), true)
})

stage(t, 'parameters', async (t, { context }) => {
  const cases: [parameters: string, message: string][] = [
    ['', 'speed must be given'],
    ['speed=0b', 'speed must be more than 0'],
    ['speed=10', 'speed must be a size'],
    ['speed=-1b', 'speed must be a size'],
    ['speed=1b;interval=0s', 'interval must be longer than 0'],
    ['speed=1b;max-window=10b;watermark=11b', 'watermark must be at most max-window, 10'],
    ['speed=1b;bucket.x.unit=byte', 'bucket.x.speed must be given'],
    ['speed=1b;bucket.x.speed=0b', 'bucket.x.speed must be more than 0'],
    ['speed=1b;unit=bit', 'unit must be one of byte, message'],
    ['speed=1b;rate.dir=x', 'dir must be one of'],
    ['speed=1b;master=first', 'speed must be left out: the limits are those of the master'],
  ]
  context.init('rate+null://;name=first;speed=1b')
  for (const [parameters, message] of cases)
    t.match(
      fault(() => context.init(`rate+null://;${parameters}`)),
      message,
      parameters,
    )
  // Nothing was limited, in silence.
  t.match(
    fault(() => context.init('rate+file://x;speed=1kb')),
    'dir must be r: nothing else passes here',
  )
  t.match(
    fault(() => context.init('rate+file://x;file.dir=w;rate.dir=r;speed=1kb')),
    'dir must be w: nothing else passes here; got "r"',
  )
})
