import t from 'tap'
import { Control } from '../../../src/messages/message.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import type { Prefix } from '../../../src/messages/prefixes/prefix.ts'
import { channelClass, fault, type Stage, stage, watch } from '../kit.ts'

/** Each wait is the whole of its bound, unless a test says otherwise. */
let part = (): number => 1
t.intercept(Math, 'random', { value: () => part() })

/** What the child does at each opening. The last step is repeated. */
function make(
  { context, engine }: Stage,
  plan: ('opens' | 'fails' | 'waits')[],
  parameters = '',
): { reopen: Prefix; times: number[]; child: MessageChannel; log: string[]; errors: string[] } {
  const times: number[] = []
  context.register(
    channelClass('plan', {
      do_post() {},
      do_open(params: { values: object }) {
        times.push(engine.now)
        if (Object.keys(params.values).length !== 1)
          throw new Error('the parameters of the opening')
        const step = plan.length > 1 ? plan.shift() : plan[0]
        if (step === 'fails') throw new Error('not now')
        return step === 'waits' ? 'opening' : undefined
      },
    }),
  )
  const reopen = context.init(`reopen+plan://${parameters}`) as Prefix
  const log = watch(reopen)
  const errors: string[] = []
  reopen.on_error = error => void errors.push(error.message)
  return { reopen, times, child: reopen.child, log, errors }
}

stage(t, 'tries again, waiting twice as long each time', async (t, stage) => {
  const { reopen, times, log, errors } = make(
    stage,
    ['fails', 'fails', 'fails', 'fails', 'opens'],
    ';timeout-min=10ms;timeout-max=1s',
  )
  reopen.open('a=1')
  t.equal(reopen.state, 'opening')
  stage.clock.advance(1000)
  t.strictSame([times, reopen.state], [[0, 10, 30, 70, 150], 'active'])
  t.strictSame(
    [log, errors],
    [['opening', 'active'], Array(4).fill('not now')],
    'each failure is reported and is not a failure of reopen+',
  )
  // Each was logged as well, by the child, as its failure closes it.
  t.same(stage.logged, [])
  // By default it is logged in one line. It came with the stack, as a bug of the program does.
  const other = stage.context.init('reopen+tcp://127.0.0.1:1').open()
  await stage.pump()
  t.match(stage.logged.splice(0), [/^\S+ reopen\+tcp:\/\/127\.0\.0\.1:1: .*ECONNREFUSED[^\n]*$/])
  other.close(true)
})

stage(t, 'a wait is a random part of its bound', async (t, stage) => {
  const { reopen, times } = make(stage, ['fails'], ';timeout-min=20ms;timeout-max=20ms')
  const parts = [0, 0.25, 0.5, 0.75]
  part = () => parts.shift() ?? 1
  reopen.open('a=1')
  stage.clock.advance(100)
  t.strictSame(times, [0, 1, 6, 16, 31, 51, 71, 91])
  reopen.close()
  t.equal(reopen.state, 'closed')
  stage.clock.advance(1000)
  t.equal(times.length, 8)
})

stage(t, 'the child goes and comes back', async (t, stage) => {
  const { reopen, times, child, log } = make(stage, ['opens'], ';timeout-min=10ms;active-min=1s')
  reopen.open('a=1')
  t.equal(reopen.post('x'), true)
  log.length = 0
  stage.clock.advance(999)
  child.close()
  t.strictSame([log.splice(0), reopen.state, reopen.post('x')], [['Disconnect'], 'active', false])
  t.strictSame(log.splice(0), ['WriteFull'], 'a post was refused')
  stage.clock.advance(10)
  t.strictSame(log.splice(0), ['Connect', 'WriteReady'], 'not stable: it waits')
  child.fail(new Error('x'))
  stage.clock.advance(20)
  t.strictSame(
    [times, log.splice(0)],
    [
      [0, 1009, 1029],
      ['Disconnect', 'Connect'],
    ],
    'twice as long',
  )
  stage.clock.advance(1000)
  child.close()
  stage.clock.advance(10)
  child.close()
  stage.clock.advance(20)
  t.strictSame(times.slice(3), [2039, 2059], 'it has lasted: from the beginning')
})

// A producer that was told WriteFull, and waited for WriteReady, waited for ever if the connection
// broke in between.
stage(t, 'full when the child goes', async (t, stage) => {
  const { reopen, child, log } = make(stage, ['opens'], ';timeout-min=10ms')
  reopen.open('a=1')
  log.length = 0
  const full = (msgid: number, addr?: number): void =>
    void child.emit({ type: 'control', msgid, addr })
  full(Control.WriteFull)
  full(Control.WriteReady)
  full(Control.WriteFull, 5)
  t.strictSame(log.splice(0), ['WriteFull', 'WriteReady', 'WriteFull'])
  full(Control.WriteFull)
  child.close()
  t.equal(reopen.post('x'), false)
  stage.clock.advance(10)
  t.strictSame(log.splice(0), ['WriteFull', 'Disconnect', 'Connect', 'WriteReady'], 'each once')
  full(Control.Connect)
  full(Control.WriteFull)
  t.strictSame(log.splice(0), ['Connect', 'WriteFull'])
  reopen.close(true)
  reopen.open('a=1')
  full(Control.WriteFull)
  t.equal(log.at(-1), 'WriteFull', 'of the last opening nothing is left')
})

stage(t, 'posting before it is active: WriteReady follows', async (t, stage) => {
  const { reopen, log } = make(stage, ['fails', 'opens'], ';timeout-min=10ms')
  reopen.open('a=1')
  log.length = 0
  t.equal(reopen.post({ type: 'control', msgid: 99 }), false)
  t.equal(reopen.post('x'), false)
  stage.clock.advance(10)
  t.strictSame(log.splice(0), ['WriteFull', 'active', 'WriteReady'])
})

stage(t, 'after half_close it is not opened again', async (t, stage) => {
  const { reopen, child } = make(stage, ['opens'])
  reopen.open('a=1')
  t.equal(reopen.half_close(), false, 'the child cannot do that')
  child.half_close = () => true
  t.equal(reopen.half_close(), true)
  t.equal(reopen.state, 'active')
  child.close()
  t.equal(reopen.state, 'closed')
  reopen.open('a=1')
  child.close()
  t.equal(reopen.half_close(), true)
  t.equal(reopen.state, 'closed', 'the child is down')
})

stage(t, 'an opening that takes too long', async (t, stage) => {
  const { reopen, times, child } = make(
    stage,
    ['waits', 'opens'],
    ';timeout-open=100ms;timeout-min=10ms',
  )
  reopen.open('a=1')
  stage.clock.advance(100)
  t.equal(child.state, 'closed')
  stage.clock.advance(10)
  t.strictSame([times, reopen.state], [[0, 110], 'active'])
  reopen.close(true)
  t.strictSame([reopen.state, child.state], ['closed', 'closed'])
})

// As recv() of the inbox: time in which the process stood still was counted.
stage(
  t,
  'REGRESSION: an opening is not given up because the process stood still',
  async (t, stage) => {
    const { reopen, child } = make(stage, ['waits'], ';timeout-open=100ms;timeout-min=10ms')
    reopen.open('a=1')
    const now = stage.clock.now.bind(stage.clock)
    stage.clock.now = () => now() + 1000
    stage.clock.advance(100)
    t.equal(child.state, 'opening')
    child.become_active()
    t.equal(reopen.state, 'active')
    reopen.close(true)
    stage.clock.advance(20)
  },
)

stage(t, 'parameters', async (t, { context }) => {
  for (const wrong of ['timeout-min=0s', 'timeout-max=1ms', 'timeout-open=0s', 'active-min=x'])
    t.match(
      fault(() => context.init(`reopen+null://;${wrong}`)),
      'must be',
    )
})
