/** Scenarios of the seam: packet sockets, how they open and what they send. */

import { Buffer } from 'node:buffer'
import { pattern } from './kit.ts'
import { type PacketScenario } from './packet-world.ts'

/** The largest payload of UDP over IPv4: 65 535 bytes less both headers. */
const LARGEST = 65_507

/** No system sends a payload as large as this. */
const TOO_LARGE = 70_000

export const PACKETS: Record<string, PacketScenario> = {
  async 'opens, knows its addresses, and still knows them after closing'(t, world) {
    const a = await world.open()
    const b = world.make({ connect: world.at(a) })
    t.same(
      [b.socket.local_address, b.socket.remote_address],
      [undefined, undefined],
      'before it is open',
    )
    await world.until(() => b.count('opened') > 0)
    const addresses = () =>
      [a, b].map(({ socket }) => [socket.local_address, socket.remote_address])
    const expected = [
      [world.shown(a), undefined],
      [world.shown(b), world.shown(a)],
    ]
    t.ok(a.port > 0 && b.port > 0 && a.port !== b.port)
    t.same(addresses(), expected)
    await world.close(a)
    await world.close(b)
    t.same(addresses(), expected, 'after closing')
    t.same([a.socket.fileno, b.socket.fileno], [undefined, undefined], 'after closing')
  },

  async 'binds and connects at once'(t, world) {
    const a = await world.open()
    const place = await world.nowhere()
    const b = await world.open({ bind: place, connect: world.at(a) })
    t.same([b.socket.local_address, b.socket.remote_address], [world.shown(b), world.shown(a)])
    t.same(world.at(b), place)
    t.equal(await b.send('question'), '')
    await world.until(() => a.texts.length > 0)
    t.same(a.from, [world.shown(b)])
    t.equal(await a.send('answer', world.at(b)), '')
    await world.until(() => b.texts.length > 0)
    t.same([a.texts, b.texts, b.from], [['question'], ['answer'], [world.shown(a)]])
  },

  async 'delivers packets whole and in order'(t, world) {
    const [a, b] = [await world.open(), await world.open()]
    const packets = [
      pattern(1),
      pattern(0),
      ...Array.from({ length: 20 }, (_, index) => pattern(index * 100 + 2)),
    ]
    t.same(
      await Promise.all(packets.map(packet => a.send(packet, world.at(b)))),
      packets.map(() => ''),
    )
    await world.until(() => b.bytes.length === packets.length)
    t.ok(Buffer.concat(b.bytes).equals(Buffer.concat(packets)))
    t.same(
      b.bytes.map(({ length }) => length),
      packets.map(({ length }) => length),
      'an empty packet is a packet',
    )
    t.same(
      b.from,
      packets.map(() => world.shown(a)),
    )
  },

  async 'sends text in its encoding, and bytes as they are'(t, world) {
    const [a, b] = [await world.open(), await world.open()]
    const to = world.at(b)
    await a.send('é', to)
    await a.send('é', to, 'latin1')
    await a.send('00ff', to, 'hex')
    await a.send(new Uint8Array([1, 2, 3, 4]).subarray(1, 3), to)
    await world.until(() => b.bytes.length === 4)
    t.same(
      b.bytes.map(packet => packet.toString('hex')),
      ['c3a9', 'e9', '00ff', '0203'],
    )
  },

  async 'has let go of data when done is called'(t, world) {
    const [a, b] = [await world.open(), await world.open()]
    const data = Buffer.from('abc')
    await a.send(data, world.at(b))
    data.fill('x')
    await world.until(() => b.texts.length > 0)
    t.same(b.texts, ['abc'])
  },

  async 'sends in order what was given to it before it was open'(t, world) {
    const b = await world.open()
    const a = world.make({ connect: world.at(b) })
    const sent = ['1', '2', '3'].map(text => a.send(text))
    a.hooks.opened = () => void sent.push(a.send('4'))
    await world.until(() => b.texts.length === 4)
    t.same(b.texts, ['1', '2', '3', '4'])
    t.same(await Promise.all(sent), ['', '', '', ''])
  },

  async 'sends the largest packet, and goes on after one that is too large'(t, world) {
    const [a, b] = [await world.open(), await world.open()]
    t.equal(await a.send(pattern(LARGEST), world.at(b)), '')
    t.equal(await a.send(pattern(TOO_LARGE), world.at(b)), 'EMSGSIZE')
    t.equal(await a.send('small', world.at(b)), '')
    await world.until(() => b.bytes.length === 2)
    t.ok(b.bytes[0]!.equals(pattern(LARGEST)))
    t.equal(b.texts[1], 'small')
    t.equal(a.course, 'opened')
  },

  async 'receives packets of its peer only, if connected'(t, world) {
    const [peer, stranger] = [await world.open(), await world.open()]
    const a = await world.open({ bind: world.here, connect: world.at(peer) })
    await stranger.send('from a stranger', world.at(a))
    await peer.send('from the peer', world.at(a))
    await world.until(() => a.texts.length > 0)
    await world.pass()
    t.same(a.texts, ['from the peer'])
  },

  async 'needs one destination, and only one'(t, world) {
    const a = await world.open()
    const b = await world.open({ connect: world.at(a) })
    t.not(await a.send('to whom?'), '')
    t.not(await b.send('to whom of both?', world.at(a)), '')
    t.equal(await b.send('clear'), '')
    await world.until(() => a.texts.length > 0)
    t.same(a.texts, ['clear'])
    t.same([a.course, b.course], ['opened received', 'opened'])
  },

  async 'tells a connected sender that its packet was refused, and goes on'(t, world) {
    const place = await world.nowhere()
    const [a, free] = [await world.open({ connect: place }), await world.open()]
    t.equal(await free.send('lost', place), '')
    t.equal(await a.send('lost'), '')
    await world.until(() => a.count('refused') > 0)
    t.match(a.error, { code: 'ECONNREFUSED' })
    t.ok(a.error instanceof Error)
    const late = await world.open({ bind: place })
    t.equal(await a.send('now'), '')
    await world.until(() => late.texts.length > 0)
    t.same(late.texts, ['now'])
    t.same([a.course, free.course], ['opened refused', 'opened'])
  },

  async 'does not open where another socket is bound'(t, world) {
    const a = await world.open()
    const second = world.make({ bind: world.at(a) })
    const waited = second.send('never', world.at(a))
    await world.until(() => second.count('closed') > 0)
    t.equal(second.course, 'failed closed')
    t.match(second.error, { code: 'EADDRINUSE', syscall: 'bind' })
    t.equal(await waited, 'ECANCELED')
    t.same([second.socket.local_address, second.socket.remote_address], [undefined, undefined])
    const b = await world.open()
    await b.send('still there', world.at(a))
    await world.until(() => a.texts.length > 0)
  },

  async 'shares a port among sockets that allow it, and frees it'(t, world) {
    const a = await world.open({ bind: world.here, reuse_address: true })
    const b = await world.open({ bind: world.at(a), reuse_address: true })
    t.same(a.port, b.port)
    await world.close(a)
    await world.close(b)
    const c = await world.open({ bind: world.at(a) })
    t.equal(c.port, a.port)
  },

  async 'takes settings, at once or later'(t, world) {
    const a = await world.open({
      bind: world.here,
      broadcast: true,
      ttl: 10,
      multicast_ttl: 2,
      multicast_loopback: true,
    })
    world.call(() =>
      a.socket.configure({
        broadcast: false,
        ttl: 20,
        multicast_ttl: 3,
        multicast_loopback: false,
      }),
    )
    world.call(() => a.socket.configure({}))
    const early = world.make()
    world.call(() => early.socket.configure({ ttl: 30 }))
    await world.until(() => early.count('opened') > 0)
    await early.send('x', world.at(a))
    await world.until(() => a.texts.length > 0)
    t.equal(a.course, 'opened received')
  },

  async 'throws for a group that is invalid, or was not joined'(t, world) {
    const a = await world.open()
    t.throws(
      () => world.call(() => a.socket.join('127.0.0.1')),
      /addMembership/,
      'this is no group',
    )
    t.throws(
      () => world.call(() => a.socket.leave('239.255.77.2')),
      /dropMembership/,
      'it has not joined that',
    )
    t.equal(await a.send('works', world.at(a)), '')
    await world.until(() => a.texts.length > 0)
    t.equal(a.course, 'opened received')
  },

  async 'is silent without a sink'(t, world) {
    const [a, b] = [await world.open(), await world.open()]
    const { sink } = a.socket
    a.socket.sink = undefined
    await b.send('to nobody', world.at(a))
    await world.pass()
    t.equal(a.course, 'opened')
    a.socket.sink = sink
  },
}
