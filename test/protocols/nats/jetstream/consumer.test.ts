/** Portions of a stream, and loops over them. */

import t from 'tap'
import { Api } from '../../../../src/protocols/nats/jetstream/api.ts'
import { NatsConsumer } from '../../../../src/protocols/nats/jetstream/consumer.ts'
import { fate, scene, type World } from '../../../kit.ts'
import type { Watched } from '../kit.ts'
import { headed, jet, type JetPeer, type JetServer } from './kit.ts'

const at = (seq: number, pending: number): string =>
  `$JS.ACK.S.c.1.${seq}.${seq}.1000000.${pending}`

const stored = (seq: number, pending: number): string =>
  `MSG a SID ${at(seq, pending)} ${`${seq}`.length}\r\n${seq}`

async function make(
  world: World,
  next: (body: any, peer: JetPeer, reply: string) => readonly string[],
): Promise<{ server: JetServer; client: Watched; consumer: NatsConsumer }> {
  const { server, client } = await jet(world, {
    'MSG.NEXT.S.c': (body, peer, reply) => next(JSON.parse(body), peer, reply),
    'CONSUMER.INFO': () => '{"name":"c","config":{"ack_wait":1000000}}',
    'CONSUMER.DELETE': () => '{"success":true}',
  })
  return { server, client, consumer: new NatsConsumer(new Api(client, '', undefined), 'S', 'c') }
}

scene(t, 'fetching', async (t, world) => {
  const { server, client, consumer } = await make(world, ({ batch, no_wait }, _, reply) => {
    if (batch === 2) return [stored(1, 9), stored(2, 8), stored(3, 7)]
    if (batch === 3)
      return [
        ...[stored(4, 0), headed(reply, ' 100 Idle Heartbeat'), stored(5, 0)],
        headed(reply, ' 408 Request Timeout'),
      ]
    if (batch === 4) return [stored(6, 1), headed(reply, ' 408 Request Timeout')]
    if (batch === 5) return [headed(reply, ' 409 Consumer Deleted')]
    // A status that is the header of a message of somebody's is none of ours.
    if (batch === 6)
      return [headed('a', ' 409 Mine', 'data', at(7, 0)), headed(reply, ' 404 No Messages')]
    return no_wait ? [headed(reply, ' 404 No Messages')] : []
  })
  const all = [2, 3, 4, 5, 6, 7].map(count =>
    consumer.fetch(count, { wait: count === 4 ? 1000 : 0 }).then(
      messages => messages.map(({ text }) => text),
      error => `rejected ${error.code}`,
    ),
  )
  await world.pump()
  t.same(await Promise.all(all.map(fate)), [
    ['1', '2'],
    ['4', '5'],
    ['6'],
    'rejected ERR_NATS_JETSTREAM',
    ['data'],
    [],
  ])
  t.match(server.asked.join(), /"batch":2,"no_wait":true.*"batch":4,"expires":1000000000/)
  const wrong = [
    consumer.fetch(0),
    consumer.fetch(Infinity),
    consumer.fetch(1, { wait: -1 }),
    consumer.fetch(1, { wait: Infinity }),
    consumer.fetch(1, { expires: 5 } as never),
  ]
  for (const each of wrong) t.equal(await fate(each), 'rejected ERR_INVALID_ARGUMENT')
  const info = consumer.info()
  const gone = consumer.delete()
  await world.pump()
  t.match(await info, { name: 'c', config: { ack_wait: 1 } })
  await gone
  client.close()
})

// Nobody answers for a consumer that is not there; and a server that was away has forgotten.
scene(t, 'no answer at all', async (t, world) => {
  const { server, client, consumer } = await make(world, () => [])
  const one = consumer.fetch(1, { wait: 100 })
  await world.pump()
  await world.advance(2100)
  t.same(await fate(one), [])
  server.replies = {
    'CONSUMER.INFO': () => '{"error":{"code":404,"err_code":10014,"description":"not found"}}',
  }
  const two = consumer.fetch(1)
  await world.pump()
  await world.advance(7000)
  t.equal(await fate(two), 'rejected ERR_NATS_JETSTREAM')
  const three = consumer.fetch(1)
  await world.pump()
  client.close()
  await world.pump()
  t.same(await fate(three), [])
})

scene(t, 'a loop', async (t, world) => {
  let seq = 0
  const { server, client, consumer } = await make(world, (_, __, reply) =>
    seq < 4 ? [stored(++seq, 0), stored(++seq, 0), headed(reply, ' 408 Request Timeout')] : [],
  )
  const got: string[] = []
  const first = (async () => {
    for await (const { text } of consumer) {
      got.push(text)
      if (text === '3') break
    }
  })()
  await world.pump()
  await first
  t.same(got, ['1', '2', '3'])
  await world.pump()
  t.same(
    server.asked.filter(line => line.startsWith('$JS.ACK')),
    [`${at(4, 0)} -NAK`],
    'what was left is for others',
  )
  const subs = server.last.news.filter(line => /^(UN)?SUB/.test(line)).length
  t.equal(subs, 4, 'each portion has ended its inbox')
  const second = (async () => {
    for await (const { text } of consumer) got.push(text)
  })()
  await world.pump()
  client.close()
  await world.pump()
  await second
  t.same(got, ['1', '2', '3'])
})

// What had come and was not given out yet was dropped, and came again only after ack_wait.
scene(
  t,
  'a loop that takes longer than its portion, and loses its connection',
  async (t, world) => {
    let seq = 0
    const { server, client, consumer } = await make(world, () =>
      seq === 0 ? [stored(++seq, 0), stored(++seq, 0), stored(++seq, 0)] : [],
    )
    const got: string[] = []
    let go: (() => void) | undefined
    const loop = (async () => {
      for await (const { text } of consumer) {
        got.push(text)
        await new Promise<void>(resolve => (go = resolve))
      }
    })()
    await world.pump()
    await world.advance(7000)
    go!()
    await world.pump()
    t.same([got, server.asked.length], [['1', '2'], 1])
    server.last.close()
    await world.pump()
    await world.advance(1000)
    await world.advance(100)
    go!()
    await world.pump()
    t.same([got, server.asked.length], [['1', '2', '3'], 1])
    go!()
    await world.pump()
    t.equal(server.asked.length, 2)
    client.close()
    await world.pump()
    await loop
  },
)

scene(t, 'another connection: it asks again', async (t, world) => {
  const { server, client, consumer } = await make(world, () => [])
  const loop = (async () => {
    for await (const _ of consumer) t.fail('nothing comes')
  })()
  await world.pump()
  await world.advance(100)
  server.last.close()
  await world.pump()
  await world.advance(1000)
  t.equal(server.asked.length, 1)
  await world.advance(100)
  t.equal(server.asked.length, 2)
  client.close()
  await world.pump()
  await loop
})
