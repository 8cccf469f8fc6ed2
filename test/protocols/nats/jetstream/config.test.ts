import t from 'tap'
import {
  packConsumer,
  packStream,
  unpack,
} from '../../../../src/protocols/nats/jetstream/config.ts'
import { thrown } from '../../../kit.ts'

t.test('times are ns on the wire, and ms here', async t => {
  const stream = packStream('create', { name: 'A', max_age: 1500, description: undefined })
  t.same(stream, { name: 'A', max_age: 1.5e9 })
  t.equal(JSON.stringify(packStream('create', { name: 'A', max_age: 365 * 86_400_000 })).length, 40)
  t.same(packConsumer('create', { ack_wait: 0.5, filter_subject: 'a' }), {
    ack_policy: 'explicit',
    ack_wait: 5e5,
    filter_subject: 'a',
  })
  t.same(unpack({ max_age: 1.5e9, duplicate_window: 0, max_msgs: 5 }), {
    max_age: 1500,
    duplicate_window: 0,
    max_msgs: 5,
  })
})

// They went to the server as they were: `subjects: 'x'` was told as 'invalid JSON'.
t.test('values that are none', async t => {
  const name = 'A'
  const streams: object[] = [
    {},
    { name: 'a.b' },
    { name, subjects: 'x' },
    { name, subjects: ['a b'] },
    { name, storage: 'disk' },
    { name, max_msgs: 'x' },
    { name, max_bytes: 1.5 },
    { name, num_replicas: 0 },
    { name, republish: { dst: 'a' } },
  ]
  for (const wrong of streams)
    t.equal(
      thrown(() => packStream('create', wrong as never)),
      'ERR_INVALID_ARGUMENT',
      JSON.stringify(wrong),
    )
  const consumers = [{ durable_name: '' }, { ack_policy: 'no' }, { opt_start_seq: 'x' }, 5]
  for (const wrong of consumers)
    t.equal(
      thrown(() => packConsumer('create', wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  const republish = { src: '>', dest: 'copy.>' }
  const whole = { name, subjects: ['a.*'], max_msgs: -1, republish, discard: 'new' } as const
  t.same(packStream('create', whole), whole)
})

t.test('what does not exist, and what is no time', async t => {
  for (const wrong of [null, 5, { nam: 'A' }, { max_age: '5' }, { max_age: -1 }, { max_age: NaN }])
    t.equal(
      thrown(() => packStream('create', wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  try {
    packConsumer('create_consumer', { durable: 'A' } as never)
  } catch (error) {
    t.match(error, { message: /create_consumer: there is no option "durable".*durable_name/ })
  }
})
