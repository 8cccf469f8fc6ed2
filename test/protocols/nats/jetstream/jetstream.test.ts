/** What a program asks JetStream for, as it goes on the wire. */

import t from 'tap'
import { NatsJetStream } from '../../../../src/protocols/nats/jetstream/jetstream.ts'
import { fate, scene, thrown } from '../../../kit.ts'
import { headed, jet } from './kit.ts'

const NOT_FOUND = '{"error":{"code":404,"err_code":10037,"description":"no message found"}}'
const STREAM =
  '{"config":{"name":"S","max_age":1000000},"state":{"messages":1},"created":"2026-11-27"}'

scene(t, 'publishing', async (t, world) => {
  const { server, client } = await jet(world, {
    again: () => '{"stream":"S","seq":4,"duplicate":true}',
    a: () => '{"stream":"S","seq":4}',
    wrong: () => '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 1"}}',
    nowhere: (_, __, reply) => headed(reply, ' 503'),
  })
  const streams = new NatsJetStream(client, { timeout: 50 })
  const all = [
    streams.publish('a'),
    // A server that sees 'X-Nats-Msg-Id' first does not find the other, and stores it twice.
    streams.publish('again', 'x', { id: 'one', headers: { 'X-Nats-Msg-Id': 'b' } }),
    streams.publish('wrong', 'x', {
      expect_stream: 'S',
      expect_last_seq: 0,
      expect_last_subject_seq: 7,
    }),
    streams.publish('nowhere'),
    streams.publish('silent'),
    streams.publish('a', 'x', { msgId: 'x' } as never),
    streams.publish('a b'),
  ]
  await world.pump()
  await world.advance(50)
  t.same(await Promise.all(all.map(fate)), [
    { stream: 'S', seq: 4, duplicate: false },
    { stream: 'S', seq: 4, duplicate: true },
    'rejected ERR_NATS_JETSTREAM',
    'rejected ERR_NATS_NO_RESPONDERS',
    'rejected ERR_NATS_TIMEOUT',
    'rejected ERR_INVALID_ARGUMENT',
    'rejected ERR_INVALID_ARGUMENT',
  ])
  const lines = server.last.news
  for (const line of [
    'X-Nats-Msg-Id: b',
    'Nats-Msg-Id: one',
    'Nats-Expected-Stream: S',
    'Nats-Expected-Last-Sequence: 0',
    'Nats-Expected-Last-Subject-Sequence: 7',
  ])
    t.ok(lines.includes(line), line)
  t.ok(lines.indexOf('Nats-Msg-Id: one') < lines.indexOf('X-Nats-Msg-Id: b'))
  client.close()
})

scene(t, 'one message', async (t, world) => {
  const { server, client } = await jet(world, {
    'MSG.GET.S': body => {
      if (body.includes('error')) return '{"error":{"code":503,"description":"later"}}'
      if (body.includes('none')) return NOT_FOUND
      const message = { subject: 'a', seq: 3, time: '2026-11-27T13:46:01.785641439Z' }
      return JSON.stringify({
        message: body.includes('bare')
          ? message
          : {
              ...message,
              data: Buffer.from('hi').toString('base64'),
              hdrs: Buffer.from('NATS/1.0\r\nA: b\r\n\r\n').toString('base64'),
            },
      })
    },
  })
  const streams = new NatsJetStream(client)
  const all = [
    streams.message('S', { seq: 3 }),
    streams.message('S', { last_of: 'bare' }),
    streams.message('S', { next_of: 'none', seq: 1 }),
    streams.message('S', { last_of: 'error' }),
    streams.message('S.x', { seq: 1 }),
    streams.message('S', { sek: 1 } as never),
    streams.message('S', {} as never),
  ]
  await world.pump()
  const [one, two, ...others] = await Promise.all(all.map(fate))
  t.match(one, { subject: 'a', seq: 3, data: Buffer.from('hi') })
  t.same((one as any).headers, new Map([['A', ['b']]]))
  t.equal((one as any).time, Date.UTC(2026, 10, 27, 13, 46, 1, 785))
  t.equal((two as any).data.length, 0)
  t.same(others, [
    undefined,
    'rejected ERR_NATS_JETSTREAM',
    'rejected ERR_INVALID_ARGUMENT',
    'rejected ERR_INVALID_ARGUMENT',
    'rejected ERR_INVALID_ARGUMENT',
  ])
  t.same(
    server.asked.map(each => each.replace('$JS.API.STREAM.MSG.GET.S ', '')),
    [
      '{"seq":3}',
      '{"last_by_subj":"bare"}',
      '{"seq":1,"next_by_subj":"none"}',
      '{"last_by_subj":"error"}',
    ],
  )
  client.close()
})

scene(t, 'streams and consumers', async (t, world) => {
  const { server, client } = await jet(world, {
    PURGE: () => '{"purged":5}',
    'STREAM.': () => STREAM,
    'CONSUMER.': () => '{"name":"c","config":{}}',
  })
  const streams = new NatsJetStream(client, { domain: 'hub' })
  const all = [
    streams.create_stream({ name: 'S', max_age: 1 }),
    streams.update_stream({ name: 'S', subjects: ['a.*'] }),
    streams.stream_info('S'),
    streams.delete_stream('S'),
    streams.purge_stream('S'),
    streams.purge_stream('S', { subject: 'a.*', keep: 1, seq: 5 }),
    streams.create_consumer('S').then(({ name }) => name),
    streams.create_consumer('S', { durable_name: 'd', ack_wait: 1 }).then(({ stream }) => stream),
    streams.consumer('S', 'c').then(({ name }) => name),
  ]
  await world.pump()
  const info = { config: { name: 'S', max_age: 1 }, state: { messages: 1 } }
  t.same(await Promise.all(all.map(fate)), [
    ...[info, info, info, undefined, 5, 5],
    ...['c', 'S', 'c'],
  ])
  t.same(
    server.asked.map(each => each.replace('$JS.hub.API.', '')),
    [
      'STREAM.CREATE.S {"name":"S","max_age":1000000}',
      'STREAM.UPDATE.S {"name":"S","subjects":["a.*"]}',
      'STREAM.INFO.S',
      'STREAM.DELETE.S',
      'STREAM.PURGE.S {}',
      'STREAM.PURGE.S {"filter":"a.*","keep":1,"seq":5}',
      'CONSUMER.CREATE.S {"stream_name":"S","config":{"ack_policy":"explicit"}}',
      'CONSUMER.DURABLE.CREATE.S.d ' +
        '{"stream_name":"S","config":' +
        '{"ack_policy":"explicit","durable_name":"d","ack_wait":1000000}}',
      'CONSUMER.INFO.S.c',
    ],
  )
  client.close()
})

scene(t, 'mistakes', async (t, world) => {
  const { client } = await jet(world)
  for (const wrong of [
    () => new NatsJetStream(null as never),
    () => new NatsJetStream(client, { domain: 'a.b' }),
    () => new NatsJetStream(client, { timeout: 0 }),
    () => new NatsJetStream(client, { prefix: 'x' } as never),
  ])
    t.equal(thrown(wrong), 'ERR_INVALID_ARGUMENT')
  const streams = new NatsJetStream(client)
  for (const wrong of [
    streams.create_stream({ name: 'a b' }),
    streams.create_stream(null as never),
    streams.create_stream({ name: 'a', max_age: '1' as never }),
    streams.update_stream({} as never),
    streams.stream_info(''),
    streams.delete_stream('*'),
    streams.purge_stream('>'),
    streams.purge_stream('S', { subject: '..' }),
    streams.purge_stream('S', { filter: 'a' } as never),
    streams.create_consumer('a/b'),
    streams.create_consumer('S', { durable_name: 'a.b' }),
    streams.create_consumer('S', { name: 'a' } as never),
    streams.consumer('S', 5 as never),
    streams.consumer(5 as never, 'c'),
  ])
    t.equal(await fate(wrong), 'rejected ERR_INVALID_ARGUMENT')
  client.close()
})
