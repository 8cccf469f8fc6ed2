/** A message of a stream: its place, and its acknowledgement. */

import t from 'tap'
import { NatsStoredMessage } from '../../../../src/protocols/nats/jetstream/stored-message.ts'
import type { NatsMessage } from '../../../../src/protocols/nats/message.ts'
import { fate, scene, thrown } from '../../../kit.ts'
import { jet } from './kit.ts'

const SHORT = '$JS.ACK.ORDERS.worker.2.17.5.1795787161784775508.4'
const LONG = '$JS.ACK.hub.ACC.ORDERS.worker.2.17.5.1795787161784775508.4.rnd'

scene(t, 'both forms of its reply subject; acknowledging', async (t, world) => {
  const { server, client } = await jet(world, { '$JS.ACK': () => '' })
  const got: NatsMessage[] = []
  client.subscribe('a', message => void got.push(message))
  for (const reply of [SHORT, LONG, SHORT, SHORT, SHORT]) {
    await world.pump()
    server.last.message('a', 1, '{"x":1}', reply)
  }
  await world.pump()
  const all = got.map(message => new NatsStoredMessage(client, message))
  for (const one of all)
    t.same(
      [one.stream, one.consumer, one.delivered, one.seq, one.time, one.pending],
      ['ORDERS', 'worker', 2, 17, 1_795_787_161_784, 4],
    )
  const [one, two, three, four, five] = all
  t.same([one!.subject, one!.text, one!.data.length, one!.json()], ['a', '{"x":1}', 7, { x: 1 }])
  one!.working()
  one!.ack()
  one!.working()
  two!.nak()
  three!.nak(1.5)
  four!.term()
  const sure = five!.double_ack()
  t.equal(
    thrown(() => one!.ack()),
    'ERR_INVALID_STATE',
  )
  await world.pump()
  t.equal(await fate(sure), undefined)
  t.equal(await fate(five!.double_ack()), 'rejected ERR_INVALID_STATE')
  t.same(server.asked, [
    `${SHORT} +WPI`,
    `${SHORT} +ACK`,
    `${LONG} -NAK`,
    `${SHORT} -NAK {"delay":1500000}`,
    `${SHORT} +TERM`,
    `${SHORT} +ACK`,
  ])
  client.close()
})

scene(t, 'a message that is of no stream', async (t, world) => {
  const { server, client } = await jet(world)
  const got: NatsMessage[] = []
  client.subscribe('a', message => void got.push(message))
  await world.pump()
  server.last.message('a', 1)
  await world.pump()
  const one = new NatsStoredMessage(client, got[0]!)
  t.same([one.stream, one.consumer, one.seq], ['', '', NaN])
  client.close()
})
