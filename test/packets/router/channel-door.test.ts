import t from 'tap'
import { Control } from '../../../src/messages/message.ts'
import { ChannelDoor } from '../../../src/packets/router/channel-door.ts'
import type { Peer } from '../../../src/packets/router/peer.ts'
import { type Stage, stage, watch } from '../../messages/kit.ts'

function make({ context }: Stage, url: string) {
  const log: string[] = []
  const peers: Peer[] = []
  const door = new ChannelDoor(url, context, {
    heard: (peer, text) => {
      if (!peers.includes(peer)) peers.push(peer)
      log.push(`heard ${text}`)
    },
    ready: () => void log.push('ready'),
    gone: ({ address }) => void log.push(`gone ${address.replace(/:\d+/, ':port')}`),
    failed: error => void log.push(`failed ${error.message}`),
  })
  return { door, log, peers }
}

stage(t, 'peers come, speak and go', async (t, world) => {
  for (const [url, address] of [
    ['tcp://127.0.0.1:0;mode=server', /^gone 127\.0\.0\.1:port$/],
    ['mem://;mode=server', /^gone noname-\d+$/],
    ['unix:///tmp/door;mode=server', /^gone \(unnamed unix socket\)$/],
  ] as const) {
    const { door, log, peers } = make(world, url)
    const opening = door.open()
    await world.pump()
    const client = await opening
    const one = world.context.init(client).open()
    const got = watch(one)
    await world.pump()
    one.post('hello')
    await world.pump()
    t.strictSame(log.splice(0), ['heard hello'])
    t.equal(peers[0]!.send('and you', 'x', 'y'), true)
    await world.pump()
    t.equal(got.at(-1), 'and you')
    one.close()
    await world.pump()
    t.match(log.splice(0), [address])
    t.equal(peers[0]!.send('late', 'x', 'y'), false)
    const two = world.context.init(client).open()
    await world.pump()
    two.post('x')
    await world.pump()
    peers[1]!.end()
    await world.pump()
    t.match(log.splice(0), ['heard x', address])
    two.destroy()
    const three = world.context.init(client).open()
    await world.pump()
    three.post('y')
    await world.pump()
    await Promise.all([door.close(), door.close(), world.pump()])
    t.strictSame([log, peers[2]!.send('late', 'x', 'y')], [['heard y'], false], 'the router knows')
    peers[2]!.end()
    three.destroy()
  }
})

stage(t, 'a peer that does not read', async (t, world) => {
  const { door, log, peers } = make(world, 'tcp://127.0.0.1:0;mode=server;send-buffer-size=100b')
  const opening = door.open()
  await world.pump()
  const client = world.context.init(await opening).open()
  await world.pump()
  client.post('hello')
  await world.pump()
  client.suspend()
  let count = 0
  while (peers[0]!.send('x'.repeat(1000), 'x', 'y') && count < 10_000) count++
  t.ok(count < 10_000)
  client.resume()
  await world.pump()
  t.equal(log.at(-1), 'ready')
  t.equal(peers[0]!.send('x', 'x', 'y'), true)
  client.close()
  await Promise.all([door.close(), world.pump()])
})

stage(t, 'what is about no peer, or of one that has gone', async (t, world) => {
  const { door, log } = make(world, 'mem://;mode=server;name=door')
  await door.open()
  const [server] = [...world.context.channels.values()]
  server!.emit({ type: 'control', msgid: Control.WriteFull })
  server!.emit({ type: 'control', msgid: Control.WriteFull, addr: 99 })
  server!.emit({ data: 'x', addr: 99 })
  t.strictSame(log, [])
  await Promise.all([door.close(), world.pump()])
})

stage(t, 'what cannot be a door', async (t, world) => {
  t.throws(() => make(world, 'tcp://127.0.0.1:0'), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => make(world, 'nowhere'), { code: 'ERR_INVALID_URL' })
  const one = make(world, 'mem://;mode=server;name=taken')
  await one.door.open()
  await Promise.all([one.door.close(), world.pump()])
  const busy = make(world, 'tcp://127.0.0.1:7000;mode=server')
  const other = make(world, 'tcp://127.0.0.1:7000;mode=server')
  const opening = Promise.all([busy.door.open(), t.rejects(other.door.open())])
  await world.pump()
  await opening
  t.match(other.log, [/^failed .*EADDRINUSE/])
  await Promise.all([busy.door.close(), other.door.close(), world.pump()])
})
