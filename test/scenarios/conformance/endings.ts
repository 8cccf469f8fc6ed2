/**
 * Scenarios of the seam: how a pipe ends, breaks or is destroyed, and what may still be done to it
 * then.
 */

import { Buffer } from 'node:buffer'
import type { Test } from 'tap'
import type { TransportSink } from '../../../src/transport.ts'
import { pattern, useAll, writeThrough } from './kit.ts'
import { type Probe, REPORTS } from './probe.ts'
import { turns } from './watch.ts'
import type { Scenario, World } from './world.ts'

const REFUSED = ['ECONNREFUSED', 'ENOENT']
const GONE = ['EPIPE', 'ECONNRESET']

export const ENDINGS: Record<string, Scenario> = {
  async 'half-closes: the caller first'(t, world) {
    const { client, server } = await world.pair()
    await halfClose(t, world, client, server)
  },

  async 'half-closes: the accepted side first'(t, world) {
    const { client, server } = await world.pair()
    await halfClose(t, world, server, client)
  },

  async 'ends after everything that was written'(t, world) {
    const { client, server } = await world.pair()
    client.write(pattern(world.bulk))
    client.end()
    client.end()
    server.flow()
    await world.until(() => server.count('ended') > 0)
    t.ok(server.bytes.equals(pattern(world.bulk)))
    server.end()
    client.flow()
    await world.until(() => client.count('closed') + server.count('closed') === 2)
    t.same([client.course, server.course], ['opened ended closed', 'ended closed'])
  },

  async 'reports ended only when everything before it was received'(t, world) {
    const { client, server } = await world.pair()
    client.write('abc')
    client.end()
    await world.pass()
    t.equal(server.count('ended'), 0)
    server.flow()
    await world.until(() => server.count('ended') > 0)
    t.equal(server.text, 'abc')
  },

  async 'both sides end at once'(t, world) {
    const { client, server } = await world.pair()
    for (const side of [client, server]) {
      side.write('bye')
      side.end()
      side.flow()
    }
    await world.until(() => client.count('closed') + server.count('closed') === 2)
    t.same([client.text, server.text], ['bye', 'bye'])
    t.same([client.course, server.course], ['opened ended closed', 'ended closed'])
  },

  async 'ends what was corked as well'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    client.transport.cork()
    client.write('corked')
    client.end()
    await world.until(() => server.count('ended') > 0)
    t.equal(server.text, 'corked')
  },

  async refuses(t, world) {
    const door = await world.open()
    const { endpoint } = door
    door.close()
    await world.until(() => door.count('closed') > 0)
    const client = world.connect(endpoint)
    await world.until(() => client.count('closed') > 0)
    t.equal(client.course, 'failed closed')
    t.ok(REFUSED.includes(client.error!.code!), client.error!.code!)
    t.equal(client.error!.syscall, 'connect')
    t.ok(client.error instanceof Error)
  },

  async 'destroys while connecting'(t, world) {
    const door = await world.open()
    const client = world.connect(door.endpoint)
    client.destroy()
    client.destroy()
    await world.until(() => client.count('closed') > 0)
    await world.pass()
    t.equal(client.course, 'closed')
  },

  async 'destroys inside every report'(t, world) {
    for (const report of REPORTS) {
      const door = world.listen()
      door.hooks.accepted = server => {
        server.flow().write('x')
        server.end()
      }
      await world.until(() => door.count('listening') > 0)
      const client = world.connect(report === 'failed' ? await world.nowhere() : door.endpoint)
      client.hooks.opened = () => {
        client.flow()
        if (report === 'drained')
          while (client.write(pattern(64 * 1024))) {
            /* until it is full */
          }
        if (report === 'closed') client.end()
      }
      client.hooks[report] = () => client.destroy()
      await world.until(() => client.count('closed') > 0)
      t.equal(client.count(report), 1, report)
    }
  },

  async 'destroys twice, and bears every call afterwards'(t, world) {
    const { client, server } = await world.pair()
    client.flow()
    for (let round = 0; round < 3; round++) {
      client.destroy()
      useAll(client)
      if (round === 1) await world.until(() => client.count('closed') > 0)
    }
    t.equal(client.transport.bytes_queued, 0)
    server.flow()
    await world.until(() => server.count('ended') + server.count('failed') > 0)
    t.equal(server.size, 0)
    t.equal(client.course, 'opened closed')
  },

  async 'delivers what was taken when the writer destroys'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    // So that nothing is left unread: TLS sends records of its own.
    client.flow()
    await world.pass()
    await writeThrough(world, client, 'last words')
    client.destroy()
    await world.until(() => server.count('ended') + server.count('failed') > 0)
    t.equal(server.text, 'last words')
    t.equal(server.course, 'ended')
    server.end()
    await world.until(() => server.count('closed') > 0)
  },

  async 'tells the writer when the reader destroys with bytes unread'(t, world) {
    const { client, server } = await world.pair()
    const data = pattern(64 * 1024)
    client.flow()
    while (client.write(data)) {
      /* until the pipe is full */
    }
    // More than any kernel takes.
    client.write(Buffer.alloc(16 * 1024 * 1024))
    await world.pass()
    server.destroy()
    await world.until(() => client.count('closed') > 0)
    t.equal(client.course, 'opened failed closed')
    t.ok(GONE.includes(client.error!.code!), client.error!.code!)
  },

  async 'fails when it writes to a peer that is gone'(t, world) {
    const { client, server } = await world.pair()
    client.destroy()
    for (let turn = 0; server.count('failed') === 0 && turn < 10_000; turn++) {
      server.write('anybody?')
      await turns(1)
    }
    await world.until(() => server.count('closed') > 0)
    t.equal(server.course, 'failed closed')
    t.ok(GONE.includes(server.error!.code!), server.error!.code!)
  },

  async 'drops what is written after the end'(t, world) {
    const { client, server } = await world.pair()
    server.flow()
    client.write('before')
    client.end()
    t.type(client.write('after'), 'boolean')
    await world.until(() => server.count('ended') > 0)
    t.type(client.write('long after'), 'boolean')
    server.end()
    client.flow()
    await world.until(() => client.count('closed') + server.count('closed') === 2)
    t.equal(server.text, 'before')
    t.same([client.transport.bytes_written, client.transport.bytes_queued], [6, 0])
    t.equal(client.course, 'opened ended closed')
  },

  // A socket of Node's that is destroyed or reset with much on its way counts all of it as written.
  async 'does not count what was dropped as written'(t, world) {
    const { client, server } = await world.pair()
    for (let i = 0; i < 12; i++) client.write(Buffer.alloc(1_000_000))
    await world.pass()
    const { bytes_written } = client.transport
    t.ok(bytes_written < 12_000_000)
    client.destroy()
    server.destroy()
    await world.until(() => client.count('closed') + server.count('closed') === 2)
    t.same([client.transport.bytes_written, client.transport.bytes_queued], [bytes_written, 0])
  },

  async 'bears every call after it has closed by itself'(t, world) {
    const { client, server } = await world.pair()
    const refused = world.connect(await world.nowhere())
    for (const side of [client, server]) {
      side.flow()
      side.end()
    }
    const all = [client, server, refused]
    await world.until(() => all.every(probe => probe.count('closed') > 0))
    for (const probe of all) {
      useAll(probe)
      probe.destroy()
      t.equal(probe.transport.bytes_queued, 0)
    }
    await world.pass()
    t.same(
      all.map(probe => probe.course),
      ['opened ended closed', 'ended closed', 'failed closed'],
    )
  },

  async 'tells a sink that comes after closed, but not inside the call'(t, world) {
    const { client } = await world.pair()
    client.destroy()
    await world.until(() => client.count('closed') > 0)
    const told: string[] = []
    client.transport.sink = Object.fromEntries(
      REPORTS.map(report => [report, () => told.push(report)]),
    ) as unknown as TransportSink
    t.same(told, [])
    await turns(1)
    t.same(told, ['closed'])
    client.transport.sink = undefined
    await turns(1)
  },

  async 'tells a sink that comes too late that it has closed'(_t, world) {
    const { server } = await world.pair()
    server.destroy()
    await world.until(() => server.count('closed') > 0)
    const { sink } = server.transport
    await new Promise<void>(resolve => {
      world.call(() => {
        server.transport.sink = { ...sink!, closed: resolve }
      })
    })
  },

  // Over TCP the long question is still in the kernel when the server destroys. So that is a reset.
  async 'receives an answer before the end or the break, though paused and the question unread'(
    t,
    world,
  ) {
    for (const size of [1, 200_000]) {
      const { client, server } = await world.pair()
      client.flow()
      client.pause()
      const isTaken = client.write(pattern(size))
      server.write('answer')
      await world.pass()
      server.destroy()
      await world.pass()
      const over = client.count('ended') + client.count('failed')
      // A writer that was made to wait is told of the break at once.
      if (isTaken && over > 0)
        t.equal(client.text, 'answer', 'over only when nothing is left to read')
      client.flow()
      await world.until(() => client.count('ended') + client.count('failed') > 0)
      if (isTaken) t.equal(client.text, 'answer')
    }
  },
}

async function halfClose(t: Test, world: World, first: Probe, second: Probe): Promise<void> {
  first.flow().write('question')
  first.end()
  second.flow()
  await world.until(() => second.count('ended') > 0)
  t.equal(second.text, 'question')
  await world.pass()
  t.equal(
    first.count('ended') + first.count('closed') + second.count('closed'),
    0,
    'the other direction stands',
  )
  second.write('answer')
  await world.until(() => first.size === 6)
  second.end()
  await world.until(() => first.count('closed') + second.count('closed') === 2)
  t.equal(first.text, 'answer')
  t.match(first.course, /^(opened )?ended closed$/)
  t.match(second.course, /^(opened )?ended closed$/)
}
