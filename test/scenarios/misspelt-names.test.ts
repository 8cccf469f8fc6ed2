/**
 * A misspelt hook or setting is told once, by every class that a program extends. Those of channels
 * were; a RedisClient, a PacketRouter, a Supervisor and a Consumer ignored them without a word.
 */

import { inspect } from 'node:util'
import t from 'tap'
import { Consumer } from '../../src/envelope/index.ts'
import { Context } from '../../src/messages/index.ts'
import { PacketRouter, Supervisor } from '../../src/packets/index.ts'
import { NatsClient } from '../../src/protocols/nats/index.ts'
import { RedisClient } from '../../src/protocols/redis/index.ts'
import { RoomServer } from '../../src/rooms/index.ts'
import { scene } from '../kit.ts'

class Redis extends RedisClient {
  on_psuh() {}
}
class Nats extends NatsClient {
  onDisconnect() {}
  request_timout = 5
}
class Rooms extends RoomServer {
  on_room_mesage() {}
}
class Router extends PacketRouter {
  onLost() {}
}
class Jobs extends Supervisor {
  onError() {}
}
class Player extends Consumer {
  queueLimit = 3
  allow_unauthentificated = false
  score = 0
  user_name = 'ann'
  on_mesage() {}
  override queue_limit = 5
}

const architect = { get_channels: () => [], shutdown() {} }

await scene(t, 'each class says what was probably meant, once', async (t, world) => {
  const { engine, logged, pump } = world
  const context = new Context({ engine })
  const uses: readonly (() => unknown)[] = [
    () => new Redis({ engine }).connect(1).close(),
    () => new Nats({ engine }).connect('nats://127.0.0.1:1').close(),
    () => new Rooms({ context }).listen('mem://rooms').close(),
    () => new Router({ context }).listen('mem://packets;mode=server'),
    () => new Jobs({ engine }).register_job({ architect, handlers: {} }),
    () => new Player().connect('direct://player', context).close(),
  ]
  for (const use of [...uses, ...uses]) await Promise.resolve(use()).catch(() => {})
  await pump()
  const told = logged.filter(text => text.includes('means nothing here'))
  t.same(
    told
      .map(text => text.replace(/.*?(\w+) of class (\w+) .*did you mean (\w+)\?$/, '$2 $1 $3'))
      .sort(),
    [
      'Jobs onError on_error',
      'Nats onDisconnect on_disconnect',
      'Nats request_timout request_timeout',
      'Player allow_unauthentificated allow_unauthenticated',
      'Player on_mesage on_message',
      'Player queueLimit queue_limit',
      'Redis on_psuh on_push',
      'Rooms on_room_mesage on_room_message',
      'Router onLost on_lost',
    ],
  )
})

t.test('console.log shows what one wants to know of it', async t => {
  t.equal(inspect(new Redis()), "Redis { state: 'closed', address: undefined }")
  const stats = '{ there: 0, away: 0, waiting: 0, received: 0, dropped: 0 }'
  t.equal(inspect(new Router(), { breakLength: Infinity }), `Router ${stats}`)
  t.match(inspect(new Player()), /^Player \{\n {2}state: 'closed',[^]*score: 0,\n/)
  t.notMatch(inspect(new Player()), /Envelope/)
  t.equal(inspect([[new Player()]], { depth: 1 }), '[ [ [Player] ] ]')
})
