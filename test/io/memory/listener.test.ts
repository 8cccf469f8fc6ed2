/** Listeners in memory, pumped by hand. */

import t from 'tap'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import { at, pair, settle, taken, watch, watchListener } from './kit.ts'

t.test('listens: in use, port 0, closing', async t => {
  const { network, listener } = pair({}, {}, {}, at(49153))
  const log: string[] = []
  const second = watchListener(network.listen(at(49153, '::'), { backlog: 1 }), log, {
    failed: () => second.close(),
  })
  const free = watchListener(network.listen(at(0), { backlog: 1 }), log)
  settle(network)
  t.equal(taken(log), 'failed EADDRINUSE listen, listening, closed')
  t.same(free.local_address, ['127.0.0.1', 49154], '49152 went to the caller, 49153 is in use')
  t.equal(free.fileno, undefined)
  listener.close()
  listener.close()
  watchListener(network.listen(at(49153), { backlog: 1 }), log)
  settle(network)
  t.equal(taken(log), 'listening', 'a port is free as soon as its listener is closed')
})

t.test('a listener that closes resets who waited', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const listener = watchListener(network.listen(at(4040), { backlog: 1 }), log)
  const a = watch(network.connect(at(4040), {}), 'a', log, { opened: () => a.resume() })
  network.pump()
  listener.close()
  settle(network)
  t.equal(taken(log), 'listening, a opened, closed, a failed ECONNRESET read, a closed')
})

t.test('accepts, fails and closes without a sink', async t => {
  const network = new MemoryNetwork()
  const [listener, second] = [
    network.listen(at(4040), { backlog: 1 }),
    network.listen(at(4040), { backlog: 1 }),
  ]
  const a = network.connect(at(4040), {})
  settle(network)
  t.same([second.local_address, network.transports.length], [undefined, 2])
  listener.close()
  settle(network)
  t.same(
    [listener.local_address, network.transports[0]],
    [['127.0.0.1', 4040], a],
    'what was accepted stays',
  )
})
