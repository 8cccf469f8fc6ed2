/** What console.log shows of a channel. It was the engine with all of its channels. */

import { inspect } from 'node:util'
import t from 'tap'
import { Connection } from '../../src/channels/basic.ts'
import { Channel } from '../../src/channels/channel.ts'
import { INSPECT, inspectChannel } from '../../src/channels/inspect.ts'
import { pair } from '../../src/testing.ts'

t.test('state, addresses, counts and fields', async t => {
  class Mine extends Connection {
    user = { name: 'x' }
  }
  await using both = await pair({ connection: Mine })
  const { client, connection, server } = both
  t.match(inspect(client), /^Recorder \{\s+state: 'active',\s+local_address: \[.*\],\s+remote_/)
  t.match(inspect(client), /bytes_read: 0/)
  t.match(inspect(connection), /^Mine \{[^]*server: Server \{[^]*user: \{ name: 'x' \}/)
  t.match(inspect(server), /^Server \{[^]*channels: 1/)
  t.notMatch(inspect(connection), /engine/)
  t.equal(inspect({ a: { b: { client } } }, { depth: 1 }), '{ a: { b: [Object] } }')
  t.equal(inspect({ client }, { depth: 0 }), '{ client: [Recorder] }')
  t.match(inspect(client, { depth: null }), /^Recorder/)
  client.name = 'one'
  t.match(inspect(client), /^Recorder \{\s+name: 'one',\s+state/)
})

t.test('one that is not made yet', async t => {
  class Bare extends Channel {
    override close(): void {}
  }
  t.equal(inspect(new Bare()), 'Bare {}')
  t.equal(INSPECT, inspect.custom)
  t.equal(inspectChannel({}, false, -1, {}, inspect), '[Object]')
})
