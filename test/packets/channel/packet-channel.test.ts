import t from 'tap'
import { PacketChannel } from '../../../src/packets/channel/packet-channel.ts'
import { FakeChannel } from '../kit.ts'

t.test('what it is made of', async t => {
  const callback = (): void => {}
  const channel = new FakeChannel('one', callback)
  t.ok(channel instanceof PacketChannel)
  t.equal(channel.channel_id, 'one')
  t.equal(channel.on_channel_open, callback)
  t.equal(channel.on_send_ready('one'), undefined)
  for (const id of ['', 5])
    t.throws(() => new FakeChannel(id as string), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new FakeChannel('one', callback, 5 as never), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /on_catastrophic_disconnect must be a function; got 5/,
  })
})
