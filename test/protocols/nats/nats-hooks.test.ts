/** What the hooks of a client do if nobody has overridden them. */

import t from 'tap'
import { NatsHooks } from '../../../src/protocols/nats/nats-hooks.ts'
import type { NatsSubscription } from '../../../src/protocols/nats/subscription.ts'
import { scene } from '../../kit.ts'

class Bare extends NatsHooks {
  override close(): void {
    t.fail('nothing closes it')
  }
}

scene(t, 'each error is one line', async (t, world) => {
  const client = new Bare({ engine: world.engine })
  client.on_connect()
  client.on_lame_duck()
  client.on_connect_error(new Error('one'))
  client.on_disconnect(new Error('two'))
  client.on_slow({ subject: 'a.b' } as NatsSubscription)
  t.match(world.logged, [/^Bare: Error: one/, /^Bare: Error: two/, /a\.b drops.*ERR_NATS_SLOW/])
})
