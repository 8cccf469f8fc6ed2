import t from 'tap'
import { fault, type Stage, stage } from '../kit.ts'

/** Which of these msgids pass, in each direction. */
function passes(
  { context }: Stage,
  messages: string,
  ids: number[],
): [posted: number[], received: number[]] {
  const master = context.init('direct://').open()
  const filter = context.init(`filter+direct://;messages=${messages}`, { master }).open()
  const [posted, received]: number[][] = [[], []]
  master.on_message = ({ msgid }) => void posted!.push(msgid)
  filter.on_message = ({ msgid }) => void received!.push(msgid)
  for (const msgid of ids) {
    t.equal(filter.post({ msgid }), true)
    master.post({ msgid })
  }
  return [posted!, received!]
}

stage(t, 'which messages pass, in both directions', async (t, stage) => {
  const ids = [1, 10, 19, 20, 25, 29, 30, -5]
  const both = (...expected: number[]): [number[], number[]] => [expected, expected]
  t.strictSame(passes(stage, '10,20-29,!25', ids), both(10, 20, 29))
  t.strictSame(passes(stage, '!25,!1', ids), both(10, 19, 20, 29, 30, -5))
  t.strictSame(passes(stage, '0x14,-5', ids), both(20, -5))
  t.strictSame(passes(stage, '', ids), both(...ids))
})

stage(t, 'control messages always pass', async (t, { context }) => {
  const filter = context.init('filter+echo://;messages=5').open()
  let count = 0
  filter.on_control = () => void count++
  ;[...filter.children][0]!.process()
  filter.post({ type: 'control', msgid: 1 })
  t.equal(count, 1)
})

stage(t, 'parameters', async (t, { context }) => {
  for (const wrong of ['a', '1-', '1-b', '!', '1,,2', '5-1', '0-2147483648', '-2147483649'])
    t.match(
      fault(() => context.init(`filter+null://;messages=${wrong}`)),
      'messages must be msgids and ranges of them',
    )
  t.match(
    fault(() => context.init('filter+null://')),
    'messages must be given',
  )
  // Nothing but msgid 0 ever came, so nothing passed.
  t.match(
    fault(() => context.init('filter+tcp://h:1;frame=line;messages=5')),
    /^frame must be one that carries a msgid, such as std; got "line"/,
  )
})
