/** Scenarios of the seam: listening. */

import { echo } from './kit.ts'
import type { Scenario } from './world.ts'

export const LISTENERS: Record<string, Scenario> = {
  async 'does not listen where another listens'(t, world) {
    const { client, server, door } = await world.pair()
    const second = world.listen(door.endpoint)
    await world.until(() => second.count('closed') > 0)
    t.same(second.log, ['failed', 'closed'])
    t.equal(second.error!.code, 'EADDRINUSE')
    t.equal(second.error!.syscall, 'listen')
    const third = world.connect(door.endpoint)
    // Or three: on a unix socket the second listener may have connected, to see whether the first
    // one is alive.
    await world.until(() => third.count('opened') > 0 && door.accepted.length >= 2)
    echo(server)
    client.flow().write('still')
    await world.until(() => client.size === 5)
  },

  async 'closes a listener, and keeps what it accepted'(t, world) {
    const { client, server, door } = await world.pair()
    door.close()
    door.close()
    await world.until(() => door.count('closed') > 0)
    door.close()
    t.same(door.log, ['listening', 'accepted', 'closed'])
    echo(server)
    client.flow().write('kept')
    await world.until(() => client.text === 'kept')
  },

  async 'closes a listener before it listens, and inside its reports'(t, world) {
    const early = world.listen()
    early.close()
    const listening = world.listen()
    listening.hooks.listening = () => listening.close()
    const accepting = world.listen()
    accepting.hooks.accepted = () => accepting.close()
    await world.until(() => accepting.count('listening') > 0)
    const client = world.connect(accepting.endpoint)
    await world.until(
      () =>
        [early, listening, accepting].every(door => door.count('closed') > 0) &&
        client.log.length > 0,
    )
    t.same(early.log, ['closed'])
    t.same(listening.log, ['listening', 'closed'])
    t.same(accepting.log, ['listening', 'accepted', 'closed'])
  },

  async 'listens again where a listener has closed'(t, world) {
    const { door } = await world.pair()
    door.close()
    await world.until(() => door.count('closed') > 0)
    const again = await world.open(door.endpoint)
    const client = world.connect(again.endpoint)
    await world.until(() => client.count('opened') > 0 && again.accepted.length > 0)
    t.equal(client.course, 'opened')
  },
}
