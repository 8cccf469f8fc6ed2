import t from 'tap'
import { stage, watch } from '../kit.ts'

stage(t, 'takes everything, gives nothing', async (t, { context, pump }) => {
  const channel = context.init('null://')
  t.equal(channel.client_url, undefined)
  const log = watch(channel)
  channel.open()
  t.strictSame([channel.state, channel.dcaps.size, channel.client_url], ['active', 0, 'null://'])
  t.equal(channel.post('x'), true)
  await pump()
  channel.close()
  t.strictSame(log, ['opening', 'active', 'closing', 'closed'])
})
