/** A server's end: what it asks the program, and whose settings count. */

import t from 'tap'
import { Server } from '../../../src/channels/basic.ts'
import { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import type { UpgradeRequest } from '../../../src/protocols/websocket/upgrade-request.ts'
import { scene } from '../../kit.ts'
import { ACCEPTED, dial, masked, request, serve, watched } from './kit.ts'

scene(t, 'by default every request is accepted that a page may make', async (t, world) => {
  const { peer, channel } = await serve(world, WebSocketConnection)
  t.equal(peer.raw.news, ACCEPTED)
  t.same([channel.origins, channel.protocols], ['same', []])
})

scene(t, 'the program is asked', async (t, world) => {
  const paths: string[] = []
  class Asked extends WebSocketConnection {
    override on_upgrade(asked: UpgradeRequest): void {
      paths.push(`${asked.path} ${asked.query.get('a')} ${asked.remote_address}`)
    }
  }
  await serve(world, Asked, {}, request({}, 'GET /x?a=b HTTP/1.1'))
  t.match(paths, [/^\/x b 127.0.0.1,\d+$/])
})

scene(t, 'settings of the class; those of the server win', async (t, world) => {
  class Own extends watched<WebSocketConnection>(WebSocketConnection) {
    override message_size = 10
    override protocols = ['own']
    override origins = '*' as const
  }
  const asked = request({ 'Sec-WebSocket-Protocol': 'own', Origin: 'http://there' })
  const { channel, peer, server, channels } = await serve(world, Own, {}, asked)
  t.match(peer.raw.news, /Protocol: own/)
  peer.write(masked('x'.repeat(11)))
  await world.pump()
  t.match(channel.news, ['connect own', /^overflow_error/])
  server.message_size = 20
  server.origins = 'same'
  const other = await dial(world, request({ 'Sec-WebSocket-Protocol': 'own' }))
  other.write(masked('x'.repeat(11)))
  await world.pump()
  t.same(channels[1]!.news, ['connect own', `text ${'x'.repeat(11)}`])
  t.match((await dial(world, asked)).raw.news, /^HTTP\/1.1 403/)
})

scene(t, 'under a plain server it has its own rules only', async (t, world) => {
  new Server(WebSocketConnection, { engine: world.engine }).listen(1)
  await world.pump()
  t.equal((await dial(world)).raw.news, ACCEPTED)
})

scene(t, 'compression, if the class says so and the peer offers it', async (t, world) => {
  class Small extends WebSocketConnection {
    override deflate = { server_no_context_takeover: true }
  }
  const offer = request({
    'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
  })
  const { peer } = await serve(world, Small, {}, offer)
  t.match(peer.raw.news, /Extensions: permessage-deflate; server_no_context_takeover\r\n/)
  t.equal((await dial(world)).raw.news, ACCEPTED)
  const unknown = request({ 'Sec-WebSocket-Extensions': 'x' })
  t.equal((await dial(world, unknown)).raw.news, ACCEPTED)
})
