/** Members that come by a WebSocketServer of the program. */

import t from 'tap'
import { Connection } from '../../../src/channels/basic.ts'
import { WebSocketClient } from '../../../src/protocols/websocket/client.ts'
import { WebSocketConnection } from '../../../src/protocols/websocket/connection.ts'
import { WebSocketServer } from '../../../src/protocols/websocket/server.ts'
import type { UpgradeRequest } from '../../../src/protocols/websocket/upgrade-request.ts'
import { RoomServer, type RoomServerOptions } from '../../../src/rooms/server/room-server.ts'
import { thrown } from '../../kit.ts'
import { type Stage, stage } from '../../messages/kit.ts'
import { join } from './kit.ts'

class User extends WebSocketConnection {
  user = ''
  readonly log: string[] = []
  override on_upgrade(request: UpgradeRequest): void {
    this.user = request.query.get('user') ?? ''
  }
  override on_connect(): void {
    this.log.push('connect')
  }
  override on_close(reason: string): void {
    this.log.push(`close ${reason}`)
  }
}

class Caller extends WebSocketClient {
  readonly got: string[] = []
  override on_message(data: string | Buffer): void {
    this.got.push(String(data))
  }
}

async function make(
  stage: Stage,
  hooks: Partial<RoomServer> = {},
  options: RoomServerOptions = {},
) {
  const { engine, context, pump } = stage
  const server = new WebSocketServer(User, { engine })
  const rooms = new RoomServer({ engine, context, ...options })
  Object.assign(rooms, hooks)
  rooms.listen(server)
  server.listen(1)
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 4; i++) await pump()
  }
  await settle()
  const call = async (user: string): Promise<Caller> => {
    const caller = new Caller({ engine }).connect(`ws://localhost:1/?user=${user}`)
    await settle()
    return caller
  }
  return { server, rooms, call, settle }
}

stage(t, 'the class of the server decides, its hooks are called', async (t, stage) => {
  const { server, rooms, call, settle } = await make(stage, {
    on_join: member => (member.connection as User).user !== 'eve',
  })
  const [ann, bob, eve] = [await call('ann'), await call('bob'), await call('eve')]
  for (const each of [ann, bob, eve]) each.send(JSON.stringify(join('r')))
  await settle()
  t.match(ann.got.splice(0), [/joined/])
  t.match(eve.got, [/refused/])
  ann.send('{"_room":"r","text":"one"}')
  ann.send('{"_room":"r","text":"two"}')
  await settle()
  t.same(bob.got.slice(1), ['{"_room":"r","text":"one"}', '{"_room":"r","text":"two"}'])
  t.same(ann.got, [])
  const [first] = rooms.members('r')
  const user = first!.connection as User
  t.same([user.user, user.log], ['ann', ['connect']])
  t.match(first!.address, /:\d+$/)
  first!.disconnect(3000, 'bye')
  await settle()
  t.same([ann.state, ann.close_code, ann.close_reason], ['closed', 3000, 'bye'])
  t.match(user.log, ['connect', /^close/])
  bob.close()
  await settle()
  t.same(rooms.rooms(), [])
  server.close()
})

stage(t, 'a hook that takes its time holds one member only', async (t, stage) => {
  let goOn = (): void => {}
  const { server, call, settle } = await make(stage, {
    on_message: (_member, data) =>
      data === 'wait' ? new Promise<void>(resolve => (goOn = resolve)) : undefined,
  })
  const [ann, bob] = [await call('ann'), await call('bob')]
  ann.send('wait')
  ann.send('then')
  bob.send('now')
  await settle()
  t.same([ann.got, bob.got], [[], ['Echo: now']])
  goOn()
  await settle()
  t.same(ann.got, ['Echo: wait', 'Echo: then'])
  server.close()
})

stage(t, 'a member that does not read', async (t, stage) => {
  const log: string[] = []
  const { server, rooms, call, settle } = await make(
    stage,
    { on_disconnect: (_member, reason) => void log.push(reason) },
    { member_buffer: 100_000 },
  )
  const ann = await call('ann')
  ann.send(JSON.stringify(join('r')))
  await settle()
  ann.suspend()
  const text = 'x'.repeat(60_000)
  let count = 0
  for (; rooms.members('r').length > 0 && count < 50; count++) {
    rooms.emit('r', text, { volatile: count < 5 })
    await settle()
  }
  t.same(log, ['too slow'])
  t.ok(count > 5)
  ann.close()
  await settle()
  const bob = await call('bob')
  bob.send(JSON.stringify(join('r')))
  await settle()
  bob.suspend()
  for (let i = 0; i < 20; i++) {
    rooms.emit('r', text, { volatile: true })
    await settle()
  }
  bob.resume()
  await settle()
  rooms.emit('r', 'the last one')
  await settle()
  t.match(bob.got.at(-1), /the last one/)
  t.ok(bob.got.length < 20)
  t.equal(log.length, 1)
  server.close()
})

stage(t, 'who is closing gets nothing, and is not slow', async (t, stage) => {
  const log: string[] = []
  const { server, rooms, call, settle } = await make(stage, {
    on_disconnect: (_member, reason) => void log.push(reason),
  })
  const ann = await call('ann')
  ann.send(JSON.stringify(join('r')))
  await settle()
  const [member] = rooms.members()
  member!.connection!.end()
  rooms.emit('r', 1)
  await settle()
  t.same(log, [''])
  t.equal(ann.got.length, 1)
  server.close()
})

stage(t, 'the server of the program goes on', async (t, stage) => {
  const { server, rooms, call, settle } = await make(stage)
  const ann = await call('ann')
  t.not(server.ConnectionClass, User)
  rooms.end()
  await settle()
  t.same([ann.close_code, ann.close_reason], [1001, 'the server ends'])
  t.equal(server.ConnectionClass as unknown, User)
  t.equal(server.state, 'active')
  rooms.listen(server)
  await settle()
  const bob = await call('bob')
  t.equal(rooms.members().length, 1)
  const Taken = server.ConnectionClass
  server.ConnectionClass = class extends Taken {}
  rooms.close()
  await settle()
  t.equal(bob.close_code, 1006)
  const late = await call('late')
  t.same([late.close_code, rooms.members()], [1001, []])
  server.close()
})

stage(t, 'a server of something else', async (t, { engine, context }) => {
  const server = new WebSocketServer({ engine })
  server.ConnectionClass = Connection as never
  const rooms = new RoomServer({ engine, context })
  t.equal(
    thrown(() => rooms.listen(server)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(rooms.state, 'closed')
  t.equal(
    thrown(() => rooms.listen(new WebSocketServer({ engine }), 'tcp://nowhere')),
    'ERR_INVALID_URL',
  )
})
