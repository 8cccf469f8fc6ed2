import t from 'tap'
import { ChannelError } from '../../src/errors.ts'
import { PacketChannelError, PacketError } from '../../src/packets/errors.ts'

t.test('they are errors of sluice', async t => {
  const error = new PacketError('data', 'no', 'cause')
  t.ok(error instanceof ChannelError)
  t.match(error, { name: 'PacketError', code: 'ERR_PACKET', field: 'data', cause: 'cause' })
  t.match(new PacketChannelError('ERR_LOST', 'gone'), { code: 'ERR_LOST', message: 'gone' })
})
