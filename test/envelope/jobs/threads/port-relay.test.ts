import t from 'tap'
import { type Parcel, PortRelay } from '../../../../src/envelope/jobs/threads/port-relay.ts'
import { fate } from '../../../kit.ts'

t.test('it only publishes', async t => {
  const posted: Parcel[] = []
  const relay = new PortRelay('x', parcel => posted.push(parcel))
  t.equal(relay.publish('topic', 'hello'), true)
  t.same(posted, [{ layer: 'x', topic: 'topic', bytes: Buffer.from('hello') }])
  const { append, subscribe, read_after, present, absent, watch } = relay
  for (const call of [append, subscribe, read_after, present, absent, watch])
    t.equal(await fate(call()), 'rejected ERR_RELAY_REFUSED')
  relay.unsubscribe()
  relay.unwatch()
  await relay.opened
  await relay.close()
})
