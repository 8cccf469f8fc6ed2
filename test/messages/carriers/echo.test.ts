import t from 'tap'
import { dataOf, stage, watch } from '../kit.ts'

stage(t, 'opening and closing take one call of process each', async (t, { context, clock }) => {
  const channel = context.init('echo://')
  const log = watch(channel).slice(0, 0)
  const texts = dataOf(channel)
  channel.on_state = state => void log.push(state)
  channel.open()
  t.equal(channel.state, 'opening')
  clock.advance(0)
  t.equal(channel.state, 'active')
  channel.post('a')
  t.strictSame(texts, ['a'], 'inside post')
  channel.close()
  t.equal(channel.state, 'closing')
  clock.advance(0)
  t.strictSame(log, ['opening', 'active', 'closing', 'closed'])
  t.equal(channel.dcaps.size, 0)
  channel.open().close(true)
  t.equal(channel.state, 'closed', 'by force: at once')
})

stage(t, 'it may choose another implementation', async (t, { context }) => {
  t.equal(context.init('echo://;null=yes').open().state, 'active')
})
