/** Scenarios of the seam: packet sockets that are destroyed, at every moment. */

import type { PacketReport, PacketScenario, PacketWorld, PacketProbe } from './packet-world.ts'

export const PACKET_ENDINGS: Record<string, PacketScenario> = {
  async 'destroys before it is open'(t, world) {
    const b = await world.open()
    for (const options of [{}, { bind: world.here }, { connect: world.at(b) }]) {
      const a = world.make(options)
      const sent = [a.send('1', options.connect && undefined), a.send('2', world.at(b))]
      a.destroy()
      a.destroy()
      sent.push(a.send('3', world.at(b)))
      await world.until(() => a.count('closed') > 0)
      t.equal(a.course, 'closed')
      t.same(await Promise.all(sent), ['ECANCELED', 'ECANCELED', 'ECANCELED'])
      t.equal(a.socket.local_address, undefined)
    }
    t.same(b.texts, [])
  },

  async 'destroys between opening and open, turn by turn'(t, world) {
    for (let turn = 0; turn < 8; turn++) {
      const a = world.make()
      const sent = a.send('x', await world.nowhere())
      for (let passed = 0; passed < turn; passed++)
        await new Promise(resolve => setImmediate(resolve))
      await world.close(a)
      t.match(await sent, /^(ECANCELED)?$/)
    }
  },

  async 'destroys inside every report'(t, world) {
    for (const report of ['opened', 'received', 'refused', 'failed', 'closed'] as const) {
      const a = await provoke(world, report)
      a.hooks[report] = () => a.destroy()
      const sent =
        a.socket.remote_address === undefined ? [] : [a.send('1'), a.send('2'), a.send('3')]
      await world.until(() => a.count('closed') > 0)
      t.equal(a.count(report), 1, report)
      t.ok(
        (await Promise.all(sent)).every(code => code === '' || code === 'ECANCELED'),
        report,
      )
    }
  },

  async 'destroys inside done'(t, world) {
    const [a, b] = [await world.open(), await world.open()]
    const first = a.send('1', world.at(b)).then(() => a.destroy())
    a.socket.send('2', 'utf8', world.at(b), () => a.destroy())
    const sent = [a.send('3', world.at(b)), a.send('4', world.at(b))]
    await world.until(() => a.count('closed') > 0)
    await first
    t.ok((await Promise.all(sent)).every(code => code === '' || code === 'ECANCELED'))
    t.equal(a.course, 'opened closed')
  },

  async 'destroys with packets on their way'(t, world) {
    const b = await world.open()
    const [a, c] = [await world.open(), await world.open({ connect: world.at(b) })]
    const sent = Array.from({ length: 10 }, (_, index) => [
      a.send(`${index}`, world.at(b)),
      c.send(`${index}`),
    ]).flat()
    a.destroy()
    c.destroy()
    await world.until(() => a.count('closed') + c.count('closed') === 2)
    const codes = await Promise.all(sent)
    t.ok(
      codes.every(code => code === '' || code === 'ECANCELED'),
      codes.join(),
    )
    await world.pass()
    t.ok(
      b.texts.length <= codes.filter(code => code === '').length,
      'what was cancelled was not sent',
    )
  },

  async 'destroys while a name is looked up'(t, world) {
    const a = await world.open()
    const sent = a.send('x', { kind: 'ip', host: 'localhost', port: 9 })
    await world.close(a)
    t.match(await sent, /^(ECANCELED)?$/)
  },

  async 'bears every call after it has closed, or throws'(t, world) {
    const [a, b] = [await world.open(), await world.open()]
    await world.close(a)
    const sent = [a.send('x', world.at(b)), a.send('x'), a.send('', world.at(b))]
    t.same(await Promise.all(sent), ['ECANCELED', 'ECANCELED', 'ECANCELED'])
    const { socket } = a
    const group = '239.255.77.1'
    for (const made of [
      () => socket.configure({ ttl: 3 }),
      () => socket.join(group),
      () => socket.leave(group),
    ]) {
      t.throws(() => world.call(made), { code: 'ERR_INVALID_STATE' })
    }
    a.destroy()
    await world.pass()
    t.equal(a.course, 'opened closed')
    t.same(b.texts, [])
  },

  async 'frees its port, and hears nothing more'(t, world) {
    const [a, b] = [await world.open(), await world.open()]
    const sent = b.send('too late', world.at(a))
    await world.close(a)
    await sent
    const again = await world.open({ bind: world.at(a) })
    t.equal(again.port, a.port)
    t.equal(a.texts.length, a.count('received'))
  },
}

/** A socket that is about to make this report. */
async function provoke(world: PacketWorld, report: PacketReport): Promise<PacketProbe> {
  switch (report) {
    case 'failed':
      return world.make({ bind: world.at(await world.open()) })
    case 'refused':
      return world.open({ connect: await world.nowhere() })
    case 'received': {
      const [a, b] = [await world.open(), await world.open()]
      for (const text of ['1', '2', '3']) void b.send(text, world.at(a))
      return a
    }
    case 'closed': {
      const a = await world.open()
      a.destroy()
      return a
    }
    default:
      return world.make()
  }
}
