/** What both ends have in common as channels: settings, calls, hooks. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { WebSocketClient } from '../../../src/protocols/websocket/client.ts'
import { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import type { Handshake } from '../../../src/protocols/websocket/handshake.ts'
import {
  assignValue,
  sendPacked,
  sessionOf,
  speaking,
  valuesOf,
} from '../../../src/protocols/websocket/websocket.ts'
import { scene, thrown } from '../../kit.ts'
import { answerTo, frame, listen, serve } from './kit.ts'

scene(t, 'settings: as options, as fields, by assignment', async (t, { engine }) => {
  const plain = new WebSocketClient({ engine })
  t.same(
    [plain.message_size, plain.ping_interval, plain.pong_timeout],
    [1024 * 1024, Infinity, 20_000],
  )
  plain.message_size = 5
  t.equal(plain.message_size, 5)
  const given = new WebSocketClient({ engine, ping_interval: 7 })
  t.equal(given.ping_interval, 7)
  t.equal(
    thrown(() => (given.pong_timeout = 0)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => new WebSocketClient({ engine, mesage_size: 7 } as object)),
    'ERR_INVALID_ARGUMENT',
  )
  class Own extends WebSocketClient {
    override message_size = 9
  }
  const own = new Own({ engine }).connect(1)
  t.equal(own.message_size, 9)
  own.close()
})

scene(
  t,
  'calls before it is open are mistakes; wrong data is one at any time',
  async (t, world) => {
    const { peers } = await listen(world)
    const client = new WebSocketClient({ engine: world.engine })
    t.equal(
      thrown(() => client.send('a')),
      'ERR_INVALID_STATE',
    )
    t.equal(
      thrown(() => client.ping()),
      'ERR_INVALID_STATE',
    )
    t.equal(
      thrown(() => client.half_close()),
      'ERR_INVALID_STATE',
    )
    client.connect('ws://localhost:1')
    t.equal(client.send('early'), true, 'it waits')
    await world.pump()
    const peer = peers[0]!
    peer.write(answerTo(peer.raw.news))
    await world.pump()
    t.equal(peer.raw.news.length, 6 + 'early'.length)
    for (const call of [
      () => client.send(5 as never),
      () => client.send('a', { compres: true } as never),
      () => client.ping(5 as never),
      () => client.ping('x'.repeat(126)),
      () => client.ping('ä'.repeat(63)),
      () => client.end(1005),
      () => client.end(undefined, 'x'.repeat(124)),
    ])
      t.equal(thrown(call), 'ERR_INVALID_ARGUMENT', String(call))
    t.same(
      [client.state, client.protocol, client.close_code, client.close_reason],
      ['active', '', undefined, ''],
    )
    client.send(Buffer.from('bytes'), { compress: true })
    client.ping(Buffer.alloc(125))
    client.end(undefined, 'only a reason')
    t.same([client.send('late'), client.ping()], [false, false])
    t.same([client.close_code, client.close_reason], [1000, 'only a reason'])
  },
)

// `write` sent its bytes between the frames, and a delimiter that was assigned while the connection
// was open stopped its messages, without a word.
scene(t, 'what reads or writes bytes is a mistake at any time', async (t, world) => {
  const { peers } = await listen(world)
  const client = new WebSocketClient({ engine: world.engine })
  const refused = (): void => {
    for (const call of [
      () => client.write('a'),
      () => client.write_packed(1),
      () => client.write_file('/etc/hostname'),
      () => client.become('\n'),
      () => client.unread(Buffer.from('a')),
      () => (client.read_delimiter = '\n'),
    ])
      t.equal(thrown(call), 'ERR_INVALID_STATE', String(call))
  }
  refused()
  client.connect('ws://localhost:1')
  t.throws(() => client.read(), { code: 'ERR_INVALID_STATE' })
  refused()
  await world.pump()
  const peer = peers[0]!
  peer.write(answerTo(peer.raw.news))
  await world.pump()
  refused()
  t.throws(
    () => client.write('a'),
    /write\(\): a WebSocket has messages, and no bytes; send\(\) them/,
  )
  t.equal(typeof client.read_delimiter, 'object', 'its own')
  let got = ''
  client.on_message = data => (got += data)
  peer.write(frame('a message'))
  await world.pump()
  t.equal(got, 'a message')
  t.equal(
    thrown(() => new WebSocketClient({ engine: world.engine, read_delimiter: '\n' })),
    'ERR_INVALID_STATE',
  )
  class Lines extends WebSocketClient {
    override read_delimiter = '\n'
  }
  t.equal(
    thrown(() => new Lines({ engine: world.engine }).connect(1)),
    'ERR_INVALID_STATE',
  )
})

scene(t, 'the hooks do nothing by default', async (t, world) => {
  const { peers } = await listen(world)
  const client = new WebSocketClient({ engine: world.engine }).connect('ws://localhost:1')
  await world.pump()
  const peer = peers[0]!
  peer.write(answerTo(peer.raw.news))
  await world.pump()
  peer.write(
    Buffer.concat([
      frame('a'),
      frame('', { opcode: 9 }),
      frame('', { opcode: 10 }),
      frame(Buffer.from('b')),
    ]),
  )
  await world.pump()
  t.equal(client.state, 'active')
  client.half_close()
  t.same([client.state, client.close_code], ['closing', 1000], 'there is no half-close')
})

scene(t, 'timeouts: of the handshake, of a pong, and all others', async (t, world) => {
  const { peers } = await listen(world)
  const client = new WebSocketClient({ engine: world.engine, connect_timeout: 60_000 })
  client.connect('ws://localhost:1')
  await world.pump()
  await world.advance(11_250)
  t.match(world.logged.splice(0), [/the WebSocket handshake took longer than handshake_timeout/])
  t.equal(client.state, 'closed')
  client.ping_interval = 1000
  client.pong_timeout = 500
  client.connect('ws://localhost:1')
  await world.pump()
  peers[1]!.write(answerTo(peers[1]!.raw.news))
  await world.pump()
  await world.advance(1200)
  await world.advance(600)
  t.match(world.logged.splice(0), [
    /sent nothing after a ping for longer than pong_timeout, 500 ms/,
  ])
  client.ping_interval = Infinity
  client.connect('ws://localhost:1', {})
  client.idle_timeout = 100
  await world.pump()
  peers[2]!.write(answerTo(peers[2]!.raw.news))
  await world.pump()
  await world.advance(150)
  t.match(world.logged.splice(0), [/idle_timeout, 100 ms/])
})

t.test('over another class, with another side', async t => {
  const side = {
    isServer: false,
    values: valuesOf({}),
    shakeHands: (): Handshake => {
      throw new Error('never')
    },
  }
  const Own = speaking(Client, () => side)
  const channel = new Own()
  t.ok(channel instanceof Client)
  assignValue(channel, 'message_size', 3)
  t.equal(channel.message_size, 3)
  t.equal(sessionOf(channel).isOpen, false)
  sessionOf(channel).over()
  t.equal(channel.close_code, undefined)
})

scene(t, 'a program that sends to all peers cannot know of each', async (t, world) => {
  const { channel } = await serve(world, WebSocketConnection, {}, 'GET')
  t.same([channel.state, channel.send('x'), channel.ping()], ['opening', false, false])
})

scene(t, 'frames that are packed already', async (t, world) => {
  const { channel, peer } = await serve(world, WebSocketConnection)
  const { raw } = peer
  t.match(raw.news, /^HTTP/)
  t.equal(sendPacked(sessionOf(channel), Buffer.concat([frame('a'), frame('b')])), true)
  await world.pump()
  t.equal(raw.news, Buffer.concat([frame('a'), frame('b')]).toString('latin1'))
  channel.close()
})
