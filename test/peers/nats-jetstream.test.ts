/** JetStream of a real nats-server: storing, delivering again, and what is left after SIGKILL. */

import t, { type Test } from 'tap'
import { Engine } from '../../src/index.ts'
import {
  NatsClient,
  NatsJetStream,
  type NatsStoredMessage,
} from '../../src/protocols/nats/index.ts'
import { until } from '../kit.ts'
import { HAS_NATS, NatsServer } from '../protocols/nats/nats-server.ts'

interface Place {
  readonly server: NatsServer
  readonly client: NatsClient
  readonly streams: NatsJetStream
}

function place(title: string, body: (t: Test, place: Place) => Promise<void>): void {
  void t.test(title, { skip: !HAS_NATS && 'nats-server is not installed' }, async t => {
    const server = await NatsServer.start()
    t.teardown(() => server.stop())
    const engine = new Engine({ log: message => t.comment(message) })
    const backoff = { first: 10, longest: 50, lasting: 1 }
    const client = await new NatsClient({ engine, backoff }).connect(server.url).opened
    await body(t, { server, client, streams: new NatsJetStream(client) })
    await engine.stop({ timeout: 100 })
    t.equal(engine.channels.size, 0)
  })
}

const REFUSED = { code: 'ERR_NATS_JETSTREAM' }

const texts = (messages: readonly NatsStoredMessage[]): string[] => messages.map(({ text }) => text)

place('storing: ids, what is expected, records', async (t, { client, streams }) => {
  const config = { name: 'S', subjects: ['s.*'], max_age: 60_000, max_msgs_per_subject: 3 }
  const made = await streams.create_stream(config)
  t.match(made, { config, state: { messages: 0 } })
  t.match(await streams.create_stream(config), { config }, 'once more is all right')
  await t.rejects(streams.create_stream({ ...config, max_age: 500 }), {
    ...REFUSED,
    err_code: 10058,
  })
  t.match(await streams.update_stream({ ...config, max_msgs_per_subject: 4 }), {
    config: { max_msgs_per_subject: 4, max_age: 60_000, duplicate_window: 60_000 },
  })

  t.strictSame(await streams.publish('s.a', '1', { id: 'one' }), {
    stream: 'S',
    seq: 1,
    duplicate: false,
  })
  t.match(await streams.publish('s.a', '1', { id: 'one' }), { seq: 1, duplicate: true })
  const expected = { expect_last_subject_seq: 0 }
  await t.rejects(streams.publish('s.a', '2', expected), {
    code: 'ERR_NATS_JETSTREAM',
    err_code: 10071,
    said: 'wrong last sequence: 1',
  })
  t.match(await streams.publish('s.b', '2', { ...expected, headers: { A: 'b' } }), { seq: 2 })
  await t.rejects(streams.publish('s.b', '', { expect_stream: 'T' }), {
    ...REFUSED,
    err_code: 10060,
  })
  await t.rejects(streams.publish('s.b', '', { expect_last_seq: 9 }), {
    ...REFUSED,
    err_code: 10071,
  })
  await t.rejects(streams.publish('other', ''), { code: 'ERR_NATS_NO_RESPONDERS' })

  const record = await streams.message('S', { last_of: 's.b' })
  t.match(record, { subject: 's.b', seq: 2, data: Buffer.from('2') })
  t.strictSame(record?.headers.get('A'), ['b'])
  t.ok(Math.abs((record?.time ?? 0) - Date.now()) < 60_000)
  t.match(await streams.message('S', { next_of: 's.b', seq: 1 }), { seq: 2 })
  t.match(await streams.message('S', { seq: 1 }), { subject: 's.a' })
  t.equal(await streams.message('S', { last_of: 's.none' }), undefined)
  await t.rejects(streams.message('T', { seq: 1 }), { ...REFUSED, err_code: 10059 })

  for (let i = 0; i < 6; i++) await streams.publish('s.a', `${i}`)
  t.match((await streams.stream_info('S')).state, { messages: 5, last_seq: 8, num_subjects: 2 })
  t.equal(await streams.purge_stream('S', { subject: 's.a', keep: 1 }), 3)
  await streams.delete_stream('S')
  await t.rejects(streams.stream_info('S'), { ...REFUSED, status: 404, said: 'stream not found' })
  t.equal(client.state, 'active')
})

place('consuming: acknowledged, refused, delivered again', async (t, { streams }) => {
  await streams.create_stream({ name: 'S', subjects: ['s'] })
  for (let i = 1; i <= 5; i++) await streams.publish('s', `${i}`)
  const worker = await streams.create_consumer('S', { durable_name: 'worker', ack_wait: 60_000 })
  const [one, two, three] = await worker.fetch(3)
  t.strictSame(texts([one!, two!, three!]), ['1', '2', '3'])
  t.match(three, { seq: 3, stream: 'S', consumer: 'worker', delivered: 1, pending: 2 })
  one!.ack()
  await two!.double_ack()
  three!.nak()
  const rest = await worker.fetch(3)
  t.strictSame(texts(rest).sort(), ['3', '4', '5'])
  t.equal(rest.find(({ text }) => text === '3')?.delivered, 2)
  for (const each of rest) each.term()
  t.strictSame(await worker.fetch(10, { wait: 0 }), [], 'nothing is there')
  t.strictSame(await worker.fetch(10, { wait: 50 }), [], 'and nothing comes')
  const later = worker.fetch(2)
  await streams.publish('s', '6')
  await streams.publish('s', '7')
  for (const each of await later) await each.double_ack()
  t.match(await worker.info(), { num_pending: 0, num_ack_pending: 0, config: { ack_wait: 60_000 } })
  t.equal((await streams.consumer('S', 'worker')).name, 'worker')
  const other = await streams.create_consumer('S', {
    deliver_policy: 'by_start_sequence',
    opt_start_seq: 6,
    ack_policy: 'none',
    mem_storage: true,
  })
  t.strictSame(texts(await other.fetch(10, { wait: 0 })), ['6', '7'])
  await other.delete()
  await t.rejects(other.info(), { ...REFUSED, err_code: 10014 })
  await t.rejects(streams.consumer('S', 'nobody'), { ...REFUSED, err_code: 10014 })
})

place('a server that is killed keeps what it has acknowledged', async (t, place) => {
  const { server, client, streams } = place
  await streams.create_stream({ name: 'S', subjects: ['s'] })
  const worker = await streams.create_consumer('S', { durable_name: 'worker' })
  const got: string[] = []
  const loop = (async () => {
    for await (const message of worker) {
      got.push(message.text)
      message.ack()
    }
  })()
  for (let i = 0; i < 50; i++) await streams.publish('s', `${i}`)
  await until(() => got.length === 50)
  await server.kill()
  const lost = streams.publish('s', '50', { id: '50' }).catch(error => error.code)
  await until(() => !client.connected)
  await server.start()
  t.match(await lost, /ERR_NATS_DISCONNECTED|^\[object/)
  await client.flush()
  // Nobody knows whether it was stored: with the same id it is, once.
  await streams.publish('s', '50', { id: '50' })
  t.match((await streams.stream_info('S')).state, { messages: 51 })
  await until(() => got.includes('50'))
  t.equal(new Set(got).size, 51)
  client.end()
  await loop
})
