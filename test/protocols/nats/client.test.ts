/** What a program calls: mistakes, messages, subscriptions, and the end. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { NatsClient, type NatsClientOptions } from '../../../src/protocols/nats/client.ts'
import type { NatsMessage } from '../../../src/protocols/nats/message.ts'
import { fate, scene, thrown } from '../../kit.ts'
import { INFO, join, listen, Watched } from './kit.ts'

scene(t, 'mistakes', async (t, world) => {
  const { client } = await join(world)
  const before = new NatsClient({ engine: world.engine })
  const closed = new Watched({ engine: world.engine }).connect()
  closed.close()
  await world.pump()
  // prettier-ignore
  const rows: [() => unknown, string][] = [
    [() => new NatsClient(5 as never), 'ERR_INVALID_ARGUMENT'],
    [() => new NatsClient({ pingInterval: 5 } as object), 'ERR_INVALID_ARGUMENT'],
    [() => new NatsClient({ ping_interval: 0 }), 'ERR_INVALID_ARGUMENT'],
    [() => client.connect(), 'ERR_INVALID_STATE'],
    [() => before.connect('http://a'), 'ERR_INVALID_ADDRESS'],
    [() => before.publish('a'), 'ERR_INVALID_STATE'],
    [() => before.request('a'), 'ERR_INVALID_STATE'],
    [() => before.subscribe('a'), 'ERR_INVALID_STATE'],
    [() => before.flush(), 'ERR_INVALID_STATE'],
    [() => client.publish(''), 'ERR_INVALID_ARGUMENT'],
    [() => client.publish('a.*'), 'ERR_INVALID_ARGUMENT'],
    [() => client.publish('a', 5 as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.publish('a', null as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.publish('a', '', { header: {} } as object), 'ERR_INVALID_ARGUMENT'],
    [() => client.publish('a', '', null as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.publish('a', '', { reply: '>' }), 'ERR_INVALID_ARGUMENT'],
    [() => client.publish('a', '', { headers: { a: '\r\n' } }), 'ERR_INVALID_ARGUMENT'],
    [() => client.publish('a', 'x'.repeat(1_048_577)), 'ERR_NATS_MAX_PAYLOAD'],
    [() => client.publish('a', Buffer.alloc(1_048_577)), 'ERR_NATS_MAX_PAYLOAD'],
    [() => client.publish('a', Buffer.alloc(1_048_560), { headers: {} }), 'nothing'],
    [() => client.publish('a', Buffer.alloc(1_048_576), { headers: {} }), 'ERR_NATS_MAX_PAYLOAD'],
    [() => client.publish('a', 'x'.repeat(1_048_576)), 'nothing'],
    [() => client.request('a', 5 as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.request('a', '', { timeout: 0 }), 'ERR_INVALID_ARGUMENT'],
    [() => client.request('a', '', { time: 1 } as object), 'ERR_INVALID_ARGUMENT'],
    [() => client.request('>'), 'ERR_INVALID_ARGUMENT'],
    [() => client.subscribe('a..b'), 'ERR_INVALID_ARGUMENT'],
    [() => client.subscribe('a', 5 as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.subscribe('a', null as never), 'ERR_INVALID_ARGUMENT'],
    [() => client.subscribe('a', { group: 'a b' }), 'ERR_INVALID_ARGUMENT'],
    [() => client.subscribe('a', { max: 0 }), 'ERR_INVALID_ARGUMENT'],
    [() => client.subscribe('a', { queue: 'a' } as object), 'ERR_INVALID_ARGUMENT'],
    [() => client.close(1 as never), 'ERR_INVALID_ARGUMENT'],
    [() => closed.publish(''), 'ERR_INVALID_ARGUMENT'],
    [() => closed.publish('a'), 'nothing'],
  ]
  for (const [call, code] of rows) t.equal(thrown(call), code, String(call))
  t.equal(closed.publish('a'), false)
  t.equal(await fate(closed.request('a')), 'rejected ERR_NATS_CLOSED')
  t.equal(await fate(closed.flush()), 'rejected ERR_NATS_CLOSED')
  // It returned a subscription that had ended: a loop over it ended without a word.
  t.equal(
    thrown(() => closed.subscribe('a')),
    'ERR_NATS_CLOSED',
  )
  t.same([before.server_info, before.connected, before.state], [undefined, false, 'closed'])
})

scene(t, 'settings are options, fields and assignments', async (t, world) => {
  const server = await listen(world)
  class Quiet extends NatsClient {
    override echo = false
    override user = 'me'
  }
  const client = new Quiet({
    engine: world.engine,
    password: 'x',
    name: 'quiet',
  } as NatsClientOptions)
  client.connect()
  await world.pump()
  t.match(server.last.connect_fields, { echo: false, user: 'me', pass: 'x', name: 'quiet' })
  t.equal(client.server_info?.version, INFO.version)
  client.close()
})

scene(t, 'publishing', async (t, world) => {
  const { server, client } = await join(world)
  t.equal(client.publish('a', 'hi'), true)
  client.publish('a')
  client.publish('b.c', Buffer.from('x'), { reply: 'in' })
  client.publish('ä', 'y', { headers: { A: '1' } })
  client.publish('a', '3', { headers: undefined })
  await world.pump()
  const header = ['NATS/1.0', 'A: 1', '']
  t.same(server.last.news, [
    ...['PUB a 2', 'hi', 'PUB a 0', '', 'PUB b.c in 1', 'x'],
    ...['HPUB Ã¤ 18 19', ...header, 'y', 'PUB a 1', '3'],
  ])
  t.equal(client.publish('a', 'x'.repeat(70_000)), false, 'better wait')
  server.info = { ...INFO, headers: false }
  server.last.close()
  await world.pump()
  await world.advance(1000)
  t.equal(client.connected, true)
  t.equal(
    thrown(() => client.publish('a', '', { headers: {} })),
    'ERR_NATS_UNSUPPORTED',
  )
})

scene(t, 'subscribing, and requests', async (t, world) => {
  const { server, client } = await join(world)
  const got: string[] = []
  const note = ({ subject, text }: NatsMessage): void => void got.push(`${subject} ${text}`)
  const one = client.subscribe('a.*', note)
  client.subscribe('b', note, { group: 'g', max: 1 })
  client.subscribe('c', { group: '' })
  await world.pump()
  const peer = server.last
  t.same(peer.news, ['SUB a.* 1', 'SUB b g 2', 'UNSUB 2 1', 'SUB c 3'])
  peer.message('a.x', 1, 'one')
  peer.message('b', 2, 'two')
  peer.message('b', 2, 'three')
  peer.message('zzz', 9, 'of nobody')
  await world.pump()
  t.same(got, ['a.x one', 'b two'])
  one.unsubscribe()
  const answer = client.request('d', 'q', { headers: { A: 'b' } })
  await world.pump()
  const [unsub, sub, hpub] = peer.news
  t.same([unsub, sub?.replace(/[\da-f]{22}/, 'ID')], ['UNSUB 1', 'SUB _INBOX.ID.* 4'])
  const reply = hpub!.split(' ')[2]!
  peer.message(reply, 4, 'yes')
  await world.pump()
  t.equal((await answer).text, 'yes')
  t.match(client.inbox(), /^_INBOX\.[\da-f]{22}$/)
  peer.message('a.x', 1, 'too late')
  await world.pump()
  t.equal(got.length, 2)
})

scene(t, 'hooks by default', async (t, world) => {
  const server = await listen(world)
  const client = new NatsClient({ engine: world.engine, pending_size: 1 }).connect()
  await world.pump()
  client.subscribe('a')
  client.subscribe('b', () => {
    throw new Error('of a handler')
  })
  server.last.message('a', 1)
  server.last.message('b', 2)
  await world.pump()
  server.last.say('-ERR \'Permissions Violation for Publish to "x"\'')
  await world.pump()
  server.info = { ...INFO, ldm: true }
  server.last.say(`INFO ${JSON.stringify(server.info)}`)
  await world.pump()
  server.last.close()
  await world.pump()
  t.match(world.logged, [
    /localhost:4222: the subscription to a drops messages.*ERR_NATS_SLOW/,
    /of a handler/,
    /the server said: Permissions Violation for Publish to "x" \(ERR_NATS_PERMISSION\)/,
    /the connection to the server was lost \(ERR_NATS_DISCONNECTED\)/,
  ])
  t.equal(client.state, 'active')
  client.close()
  await world.pump()
  const nobody = new NatsClient({ engine: world.engine }).connect(1)
  await world.pump()
  t.match(world.logged[4], /ECONNREFUSED/)
  t.equal(nobody.state, 'closed')
})

scene(t, 'closing', async (t, world) => {
  const { client } = await join(world)
  const flushed = client.flush()
  await world.pump()
  t.equal(await fate(flushed), undefined)
  client.close()
  client.close()
  t.equal(client.state, 'closing')
  client.end()
  await world.pump()
  t.same(client.news, ['connect', 'close local'])
  client.close()
  client.connect()
  await world.pump()
  client.end()
  client.end()
  await world.pump()
  t.same(client.news, ['connect', 'close local', 'connect', 'close local'])
  client.connect()
  client.end()
  await world.pump()
  t.same(client.news.slice(4), ['close local'], 'end() while it connects')
  const opened = client.connect().opened
  await world.pump()
  t.equal(await opened, client)
})
