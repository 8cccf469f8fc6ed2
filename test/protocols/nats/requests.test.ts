/** Requests and their answers. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { noop } from '../../../src/core/noop.ts'
import { DRIVE } from '../../../src/engine.ts'
import { NatsMessage } from '../../../src/protocols/nats/message.ts'
import { NatsRequests } from '../../../src/protocols/nats/requests.ts'
import { fate, scene } from '../../kit.ts'
import { message } from './kit.ts'

scene(t, 'each answer to its request; late and second ones are dropped', async (t, world) => {
  const expired: string[] = []
  const requests = new NatsRequests(world.engine[DRIVE], 'in.', inbox => void expired.push(inbox))
  const inboxes: string[] = []
  const begin = (timeout = 10): Promise<NatsMessage> =>
    requests.begin('s', timeout, inbox => {
      inboxes.push(inbox)
      return 'sent'
    })
  t.equal(requests.subject, 'in.*')
  const [one, two, three] = [begin(), begin(), begin(Infinity)]
  t.same(inboxes, ['in.1', 'in.2', 'in.3'])
  requests.deliver(message('in.2', 'two'))
  requests.deliver(message('in.2', 'again'))
  requests.deliver(message('in.99', 'stray'))
  t.equal((await two).text, 'two')
  await world.advance(10)
  t.equal(await fate(one), 'rejected ERR_NATS_TIMEOUT')
  t.same(expired, ['in.1'])
  requests.deliver(message('in.1', 'late'))
  const idle = requests.idle()
  t.equal(await fate(idle), 'open')
  requests.deliver(message('in.3', 'three'))
  t.equal((await three).text, 'three')
  await idle
  await requests.idle()
})

scene(t, 'nobody is there', async (t, world) => {
  const requests = new NatsRequests(world.engine[DRIVE], 'in.', noop)
  const answer = requests.begin('s', 10, () => 'full')
  const bytes = Buffer.from('in.1NATS/1.0 503\r\n\r\n')
  const size = bytes.length
  requests.deliver(new NatsMessage({ publish: () => false }, 1, bytes, 0, 4, 0, 0, 4, size, size))
  t.equal(await fate(answer), 'rejected ERR_NATS_NO_RESPONDERS')
})

scene(t, 'a lost connection: what was sent is rejected, what waits is not', async (t, world) => {
  const requests = new NatsRequests(world.engine[DRIVE], 'in.', noop)
  const sent = requests.begin('s', 10, () => 'sent')
  const waits = requests.begin('s', 10, () => 'waits')
  t.equal(await fate(requests.begin('s', 10, () => 'dropped')), 'rejected ERR_NATS_OVERFLOW')
  requests.lost(new Error('lost'))
  t.same([await fate(sent), await fate(waits)], ['rejected lost', 'open'])
  requests.sent()
  requests.lost(new Error('lost again'))
  t.equal(await fate(waits), 'rejected lost again')
  const last = requests.begin('s', 10, () => 'waits')
  requests.stop(new Error('over'))
  t.equal(await fate(last), 'rejected over')
})
