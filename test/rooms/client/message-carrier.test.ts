/** Message channels as carriers: text and bytes, room and no room, each way to end. */

import t from 'tap'
import { DRIVE } from '../../../src/core/drive.ts'
import type { Addr } from '../../../src/messages/message.ts'
import { Control } from '../../../src/messages/message.ts'
import { MessageCarrier } from '../../../src/rooms/client/message-carrier.ts'
import { turn, until } from '../../kit.ts'
import { stage, type Stage } from '../../messages/kit.ts'

interface Made {
  readonly carrier: MessageCarrier
  readonly log: string[]
}

function make({ context, engine }: Stage, url: string): Made {
  const log: string[] = []
  const carrier = new MessageCarrier(url, context, engine, {
    opened: () => log.push('opened'),
    received: data => log.push(`received ${typeof data === 'string' ? data : [...data]}`),
    drained: () => log.push('drained'),
    failed: error => log.push(`failed ${(error as { code?: string }).code}`),
    closed: code => log.push(`closed ${code}`),
  })
  return { carrier, log }
}

stage(t, 'a life', async (t, world) => {
  const server = world.context.init('mem://;mode=server;name=s')
  const addrs: Addr[] = []
  server.callback_add(({ addr }) => void addrs.push(addr as Addr), 'control')
  server.open()
  const { carrier, log } = make(world, 'mem://;master=s')
  carrier.open()
  t.same([log, carrier.isOpen], [[], false], 'nothing is told inside the call')
  await until(() => log.length > 0)
  t.same([log.splice(0), carrier.isOpen], [['opened'], true])
  t.ok(carrier.send('x'))
  await until(() => addrs.length > 0)
  server.post({ data: 'grüße', addr: addrs[0] })
  server.post({ data: Uint8Array.of(1, 255), addr: addrs[0] })
  await until(() => log.length === 2)
  t.same(log.splice(0), ['received grüße', 'received 1,255'])
  carrier.close()
  t.equal(carrier.isOpen, true, 'nor does it close inside the call')
  await until(() => log.length > 0)
  t.same(log, ['closed 1005'])
  carrier.close()
  await turn()
  server.destroy()
})

stage(t, 'no room', async (t, world) => {
  const server = world.context.init('mem://;mode=server;name=s;size=64b')
  server.open()
  server.suspend()
  const { carrier, log } = make(world, 'mem://;master=s')
  carrier.open()
  await until(() => log.length > 0)
  let count = 1
  while (carrier.send('0123456789')) count++
  t.throws(() => carrier.send('0123456789'), { code: 'ERR_OVERFLOW' })
  t.ok(count >= 1)
  server.resume()
  await until(() => log.length > 1)
  t.same(log, ['opened', 'drained'])
  t.ok(carrier.send('x'))
  carrier.abort()
  await turn()
  t.same(log, ['opened', 'drained'], 'nothing more is told')
  server.destroy()
})

stage(t, 'the server sends it away, or is not there', async (t, world) => {
  const server = world.context.init('tcp://127.0.0.1:7;mode=server;frame=line')
  server.callback_add(({ msgid, addr }) => {
    if (msgid === Control.Connect) server.post({ type: 'control', msgid: Control.Disconnect, addr })
  }, 'control')
  server.open()
  await world.pump()
  const one = make(world, 'tcp://127.0.0.1:7;frame=line')
  one.carrier.open()
  await world.pump()
  t.same(one.log, ['opened', 'closed 1005'])
  const other = make(world, 'tcp://127.0.0.1:8;frame=line')
  other.carrier.open()
  await world.pump()
  t.same(other.log, ['failed ECONNREFUSED', 'closed undefined'])
  server.destroy()
  await world.pump()
})

stage(t, 'aborted before it began', async (t, world) => {
  const { carrier, log } = make(world, 'mem://;mode=server')
  carrier.open()
  carrier.abort()
  await turn()
  await turn()
  t.same(log, [])
  t.throws(() => make(world, 'nothing://'), { code: 'ERR_INVALID_URL' })
})

stage(t, 'what its hooks throw is a failure of nobody else', async (t, world) => {
  const server = world.context.init('mem://;mode=server;name=s')
  server.open()
  const log: string[] = []
  const carrier = new MessageCarrier('mem://;master=s', world.context, world.engine, {
    opened: () => {},
    received: () => {
      throw new Error('of a sink')
    },
    drained: () => {},
    failed: error => log.push(error.message),
    closed: () => {},
  })
  carrier.open()
  await turn()
  const [addr] = await new Promise<Addr[]>(resolve =>
    server.callback_add(message => void resolve([message.addr as Addr]), 'control'),
  )
  server.post({ data: 'x', addr })
  await until(() => log.length > 0)
  t.same([log, carrier.isOpen], [['of a sink'], true])
  carrier.abort()
  server.destroy()
})

/** The engine dropped what was to be done in its next turn: nothing was told, ever. */
stage(t, 'while the engine stops it fails', async (t, world) => {
  const { carrier, log } = make(world, 'tcp://127.0.0.1:9')
  const drive = world.engine[DRIVE]
  drive.isStopping = true
  carrier.open()
  await world.engine.stop()
  drive.isStopping = true
  await until(() => log.length > 0)
  drive.isStopping = false
  t.same(log, ['failed ERR_INVALID_STATE', 'closed undefined'])
  carrier.abort()
})
