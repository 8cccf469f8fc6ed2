import t from 'tap'
import { GenericError } from '../../../src/envelope/builtin/common-errors.ts'
import { Pong } from '../../../src/envelope/builtin/common-messages.ts'
import { consumer } from '../../../src/envelope/consumers/consumer.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import { new_channel_name } from '../../../src/envelope/layers/channel-name.ts'
import {
  internal_send,
  websocket_send,
  websocket_send_error,
} from '../../../src/envelope/outside/sending.ts'
import { Transaction, transactions_from } from '../../../src/envelope/outside/transaction.ts'
import { thrown } from '../../kit.ts'
import { stage } from '../../messages/kit.ts'
import { Broken, outside, Tick, Tock } from './kit.ts'

stage(t, 'to a consumer, or to a group', async (t, { engine, context, pump }) => {
  const { layer, outgoing, inside, broken } = outside(engine)
  const ticks: number[] = []
  class Peer extends consumer({ incoming: outgoing, outgoing }) {
    override readonly internal = inside
    override readonly errors = broken
  }
  const raw = context.init('mem://;name=peer').open()
  const heard: string[] = []
  raw.callback_add(({ data }) => void heard.push(data.toString()), 'data')
  class Inner extends Tick {
    override run() {
      ticks.push(this.data.x)
    }
  }
  inside.registry.add(Inner)
  const peer = await new Peer().connect('mem://;master=peer', context).opened
  const { channel_name } = peer
  await pump()
  t.equal(websocket_send(new Tick({ x: 1 }), { channel_name, envelope: outgoing }), true)
  const mm = { id: 'a', consumer_name: channel_name }
  websocket_send(new Tick({ x: 2, mm }), { envelope: outgoing, state: 's' })
  await layer.group_add('g', channel_name)
  websocket_send(new Tock(), { channel_name: 'g', group: true, envelope: outgoing })
  internal_send(new Tick({ x: 4 }), { channel_name, envelope: inside })
  websocket_send_error(new Broken({ x: 3, mm }), { envelope: broken })
  await pump()
  t.strictSame(heard, [
    '{"t":"tick","p":{"x":1},"i":null,"s":null}',
    '{"t":"tick","p":{"x":2},"i":"a","s":"s"}',
    '{"t":"tock","p":null,"i":null,"s":null}',
    '{"t":"error.broken","p":{"x":3},"i":"a","s":"f"}',
  ])
  t.strictSame(ticks, [4])
  peer.close()
  websocket_send(new Tick({ x: 9 }), { channel_name, envelope: outgoing })
  await pump()
  t.equal(heard.length, 4, 'it has gone')
  raw.close()
  await layer.relay.close()
  t.equal(websocket_send(new Tick({ x: 1 }), { channel_name, envelope: outgoing }), false)
})

stage(t, 'in a transaction', async (t, { engine }) => {
  const { outgoing, broken } = outside(engine)
  const transaction = new Transaction()
  transactions_from(() => transaction)
  const to = { channel_name: 'x', envelope: outgoing }
  t.equal(websocket_send(new Tick({ x: 1 }), to), true)
  websocket_send(new Tick({ x: 1 }), { ...to, on_commit: false })
  websocket_send_error(new Broken({ x: 1 }), { channel_name: 'x', envelope: broken })
  t.equal(transaction.size, 1)
  transactions_from()
})

stage(t, 'misuse', async (t, { engine }) => {
  const { outgoing } = outside(engine)
  const mute = new Envelope({ name: 'mute', messages: [Tick] })
  const tick = new Tick({ x: 1 })
  for (const call of [
    () => websocket_send(tick, { envelope: outgoing }),
    () => websocket_send(tick, { envelope: outgoing, group: true }),
    () => websocket_send(tick, { envelope: outgoing, channel_name: 'a b' }),
    () => websocket_send(tick, { envelope: mute, channel_name: 'a' }),
    () => websocket_send(tick, { channel_name: 'a' }),
    () => websocket_send(5 as never, { channel_name: 'a' }),
    () => websocket_send(tick, { channel: 'a' } as never),
    () => internal_send(new Pong(), { channel_name: 'a' }),
    () => websocket_send_error(tick as never, { channel_name: 'a' }),
  ])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
  const long = new Tick({ x: 1, mm: { id: 'x'.repeat(21) } })
  t.equal(
    thrown(() => websocket_send(long, { envelope: outgoing, channel_name: 'a' })),
    'ERR_VALIDATION',
  )
  const nobody = { channel_name: new_channel_name('nobody') }
  t.strictSame(
    [websocket_send(new Pong(), nobody), websocket_send_error(new GenericError(), nobody)],
    [true, true],
  )
})
