/** A WebSocket connection as a carrier. */

import t from 'tap'
import { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import { WebSocketServer } from '../../../src/protocols/websocket/server.ts'
import { isPlainWebSocket, WebSocketCarrier } from '../../../src/rooms/client/websocket-carrier.ts'
import { scene, type World } from '../../kit.ts'

const peers: Peer[] = []

class Peer extends WebSocketConnection {
  override on_connect(): void {
    peers.unshift(this)
  }
  override on_message(data: string | Buffer): void {
    this.send(typeof data === 'string' ? data.toUpperCase() : data)
  }
}

class Rooms extends WebSocketServer {
  override ConnectionClass = Peer
  override protocols = ['b']
}

function make({ engine }: World, url = 'ws://127.0.0.1:7/x') {
  const log: string[] = []
  const options = { engine, protocols: ['a', 'b'], headers: { cookie: 'c=1' }, tls: undefined }
  const carrier = new WebSocketCarrier(url, options, {
    opened: () => log.push('opened'),
    received: data => log.push(`received ${typeof data === 'string' ? data : [...data]}`),
    drained: () => log.push('drained'),
    failed: error => log.push(`failed ${(error as { code?: string }).code}`),
    closed: (code, reason) => log.push(`closed ${code} ${reason}`),
  })
  return { carrier, log }
}

scene(t, 'a life', async (t, world) => {
  const server = new Rooms({ engine: world.engine }).listen(['127.0.0.1', 7])
  await world.pump()
  const { carrier, log } = make(world)
  carrier.open()
  t.equal(carrier.isOpen, false)
  await world.pump()
  t.same([log.splice(0), carrier.isOpen], [['opened'], true])
  t.ok(carrier.send('x'))
  t.ok(carrier.send(Uint8Array.of(1, 2)))
  await world.pump()
  t.same(log.splice(0), ['received X', 'received 1,2'], 'text is text, bytes are bytes')
  t.notOk(carrier.send('x'.repeat(70_000)), 'no room for more')
  await world.pump()
  const told = log.splice(0).map(each => each.slice(0, 10))
  t.same(told.sort(), ['drained', 'received X'])
  carrier.close(3001, 'bye')
  await world.pump()
  t.same([log, carrier.isOpen], [['closed 3001 bye'], false])
  server.close()
})

scene(t, 'the server says goodbye, or nothing', async (t, world) => {
  const server = new Rooms({ engine: world.engine }).listen(['127.0.0.1', 7])
  await world.pump()
  const one = make(world)
  one.carrier.open()
  await world.pump()
  peers[0]!.end(1008, 'banned')
  await world.pump()
  t.same(one.log, ['opened', 'closed 1008 banned'])
  const other = make(world)
  other.carrier.open()
  await world.pump()
  peers[0]!.close()
  await world.pump()
  t.match(other.log.at(-1), /^closed (undefined|1006) $/)
  const third = make(world)
  third.carrier.open()
  await world.pump()
  third.carrier.abort()
  server.close()
  await world.pump()
  const none = make(world, 'ws://127.0.0.1:8/')
  none.carrier.open()
  await world.pump()
  t.same(none.log, ['failed ECONNREFUSED', 'closed undefined '])
})

t.test('tls is for wss', async t => {
  const options = { protocols: [], headers: {}, tls: { ca: [] } }
  t.ok(new WebSocketCarrier('wss://a', { ...options, engine: undefined as never }, {} as never))
})

t.test('which URLs are plain', async t => {
  t.ok(isPlainWebSocket('ws://a:1/x?y'))
  t.ok(isPlainWebSocket('WSS://a'))
  t.notOk(isPlainWebSocket('ws://a:1;deflate=yes'))
  t.notOk(isPlainWebSocket('tcp://a:1'))
  t.throws(() => isPlainWebSocket('ws://a:x'), { code: 'ERR_INVALID_ADDRESS' })
})
