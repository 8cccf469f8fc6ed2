import t from 'tap'
import { fault, stage } from '../kit.ts'

stage(t, 'the same again and again, until it is closed', async (t, { context, clock }) => {
  const channel = context.init('zero://;size=3b;msgid=7;fill=0x41')
  const seqs: bigint[] = []
  channel.on_message = ({ seq, msgid, data }) => {
    t.strictSame([msgid, String(data)], [7, 'AAA'])
    if (seqs.push(seq) === 100) channel.close()
  }
  t.strictSame([...channel.open().dcaps], ['process', 'pending'])
  t.strictSame(seqs, [], 'not inside open')
  t.equal(channel.post('dropped'), true)
  clock.advance(0)
  t.equal(seqs.at(-1), 99n)
  channel.open().process()
  t.equal(seqs[100], 0n, 'it starts again')
  channel.close()
})

stage(t, 'pending=no: only when process is called', async (t, { context, clock }) => {
  const channel = context.init('zero://;pending=no').open()
  const sizes: number[] = []
  channel.on_message = ({ data }) => void sizes.push(data.length)
  clock.advance(0)
  t.strictSame([sizes, channel.process(), sizes], [sizes, true, [1024]])
})

stage(t, 'parameters', async (t, { context }) => {
  for (const wrong of ['size=1', 'fill=256', 'msgid=x', 'pending=y'])
    t.match(
      fault(() => context.init(`zero://;${wrong}`)),
      'must be',
    )
  t.match(
    fault(() => context.init('zero://;size=2gb')),
    'size must be at most 1gb; got "2gb"',
  )
})
