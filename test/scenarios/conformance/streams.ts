/** Scenarios of the seam: how a pipe opens, and how its bytes move. */

import { Buffer } from 'node:buffer'
import { echo, pattern, pour, writeThrough } from './kit.ts'
import type { Scenario } from './world.ts'

export const STREAMS: Record<string, Scenario> = {
  async 'opens, knows its addresses, and still knows them after closing'(t, world) {
    const door = await world.open()
    const client = world.connect(door.endpoint)
    t.equal(client.transport.local_address, undefined, 'before it is open')
    t.equal(client.transport.remote_address, undefined, 'before it is open')
    await world.until(() => client.count('opened') > 0 && door.accepted.length > 0)
    const server = door.accepted[0]!
    const addresses = () =>
      [client, server].flatMap(({ transport }) => [
        transport.local_address,
        transport.remote_address,
      ])
    const { endpoint } = door
    const here = endpoint.kind === 'unix' ? endpoint.path : [endpoint.host, endpoint.port]
    const there = endpoint.kind === 'unix' ? '' : client.transport.local_address
    const expected = [there, here, here, there]
    t.same(addresses(), expected)
    t.same(door.listener.local_address, here)
    client.destroy()
    server.destroy()
    door.close()
    await world.until(
      () => client.count('closed') + server.count('closed') + door.count('closed') === 3,
    )
    t.same(addresses(), expected, 'after closing')
    t.same(door.listener.local_address, here, 'after closing')
    t.same(
      [client, server, door.listener].map(one => ('transport' in one ? one.transport : one).fileno),
      [undefined, undefined, undefined],
    )
  },

  async 'starts paused'(t, world) {
    const { client, server } = await world.pair()
    client.write('early')
    await world.pass()
    t.equal(server.size, 0)
    server.flow()
    await world.until(() => server.size === 5)
    t.equal(server.text, 'early')
  },

  async 'echoes a lot, with backpressure both ways'(t, world) {
    const { client, server } = await world.pair()
    const poured = pour(client.flow(), world.bulk, () => client.end())
    t.equal(poured.waits, 1, 'nobody reads, so the writer is made to wait')
    echo(server)
    await world.until(() => client.count('closed') + server.count('closed') === 2)
    const data = Buffer.concat(poured.sent)
    t.ok(client.bytes.equals(data))
    t.equal(client.count('drained'), poured.waits, 'drained exactly once for each wait')
    for (const { transport } of [client, server]) {
      t.same(
        [transport.bytes_read, transport.bytes_written, transport.bytes_queued],
        [data.length, data.length, 0],
      )
    }
    t.same([client.course, server.course], ['opened ended closed', 'ended closed'])
  },

  async 'reports drained once, however often write has said false'(t, world) {
    const { client, server } = await world.pair()
    const piece = pattern(64 * 1024)
    let sent = piece.length
    while (client.write(piece)) sent += piece.length
    for (let more = 0; more < 3; more++, sent += piece.length)
      t.equal(client.write(piece), false, 'still waiting')
    server.flow()
    await world.until(() => server.size === sent && client.count('drained') > 0)
    await world.pass()
    t.equal(client.count('drained'), 1)
    t.equal(client.transport.bytes_queued, 0)
    t.equal(client.transport.bytes_written, sent)
  },

  async 'pauses and resumes'(t, world) {
    const { client, server } = await world.pair()
    const data = pattern(256 * 1024)
    server.hooks.received = () => server.pause()
    server.flow()
    client.write(data)
    await world.until(() => server.size > 0)
    await world.pass()
    t.ok(server.size < data.length)
    server.hooks.received = () => {}
    server.flow()
    await world.until(() => server.size === data.length)
    t.ok(server.bytes.equals(data))
  },

  async 'pauses and resumes many times'(t, world) {
    const { client, server } = await world.pair()
    server.hooks.received = () => {
      server.pause()
      server.flow()
      server.pause()
      setImmediate(() => server.flow())
    }
    server.flow()
    client.write(pattern(50_000))
    client.end()
    await world.until(() => server.count('ended') > 0)
    t.ok(server.bytes.equals(pattern(50_000)))
  },

  async 'sends nothing for an empty write'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    for (const data of ['', 'a', new Uint8Array(0), 'b', Buffer.alloc(0)])
      t.type(client.write(data), 'boolean')
    client.end()
    await world.until(() => server.count('ended') > 0)
    t.equal(server.text, 'ab')
    t.equal(client.transport.bytes_written, 2)
  },

  async 'collects while corked, and keeps the order'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    client.write('a')
    client.transport.cork()
    client.write('b')
    client.write(Buffer.from('c'))
    await world.pass()
    t.equal(server.text, 'a')
    client.transport.uncork()
    client.write('d')
    await world.until(() => server.size === 4)
    t.equal(server.text, 'abcd')
  },

  async 'writes text in its encoding, and bytes as they are'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    client.write('é')
    client.write('é', 'latin1')
    client.write('00ff', 'hex')
    client.write(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))
    await world.until(() => server.size === 7)
    t.equal(server.bytes.toString('hex'), 'c3a9e900ff0203')
  },

  async 'bears every call while connecting'(t, world) {
    const door = await world.open()
    const client = world.connect(door.endpoint)
    client.transport.set_no_delay(true)
    client.transport.set_keep_alive(1000)
    client.flow()
    client.pause()
    client.flow()
    client.write('early')
    client.end()
    await world.until(() => client.count('opened') > 0 && door.accepted.length > 0)
    const server = door.accepted[0]!.flow()
    await world.until(() => server.count('ended') > 0)
    t.equal(server.text, 'early')
    t.equal(client.transport.bytes_written, 5)
  },

  async 'is silent without a sink'(t, world) {
    const { client, server } = await world.pair()
    const { sink } = server.transport
    server.transport.sink = undefined
    server.flow()
    client.write('to nobody')
    client.end()
    await world.pass()
    t.equal(server.log.join(), '(resume)')
    server.transport.sink = sink
  },

  async 'keeps many pipes apart'(t, world) {
    const door = world.listen()
    door.hooks.accepted = echo
    await world.until(() => door.count('listening') > 0)
    const clients = Array.from({ length: 20 }, () => world.connect(door.endpoint))
    for (const [number, client] of clients.entries()) {
      client.hooks.opened = () => {
        client.flow().write(`${number}`.repeat(100))
        client.end()
      }
    }
    await world.until(() => clients.every(client => client.count('closed') > 0))
    t.same(
      clients.map(client => client.text),
      clients.map((_, number) => `${number}`.repeat(100)),
    )
    t.equal(door.accepted.length, 20)
  },

  async 'has let go of data when it says that it was taken'(t, world) {
    const { client, server } = await world.pair()
    const data = Buffer.from('abc')
    await writeThrough(world, client, data)
    data.fill('x')
    server.flow()
    await world.until(() => server.size === 3)
    t.equal(server.text, 'abc')
  },
}
