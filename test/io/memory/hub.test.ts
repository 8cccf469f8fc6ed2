/** The hub: which part is pumped when, and free ports. */

import t from 'tap'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import type { Transport } from '../../../src/transport.ts'
import { catching } from '../../kit.ts'
import { at, pair, settle, taken, watch, watchListener } from './kit.ts'

t.test('pump inside a report does nothing', async t => {
  const counts: number[] = []
  const { network, log, b } = pair({}, { received: () => counts.push(network.pump()) })
  b.write('x', 'utf8')
  settle(network)
  t.same([taken(log), counts], ['a received x', [0]])
})

t.test('what a sink throws comes out of pump, and the next one goes on', async t => {
  const { network, log, b } = pair(
    { chunk: 1 },
    {
      received: () => {
        throw new Error('mine')
      },
    },
  )
  b.write('xy', 'utf8')
  t.throws(() => network.pump(), { message: 'mine' })
  t.throws(() => network.pump(), { message: 'mine' })
  settle(network)
  t.equal(taken(log), 'a received x, a received y')
})

t.test('auto pumps by itself until all is quiet, also after a sink has thrown', async t => {
  const errors = catching(t)
  const network = new MemoryNetwork({ auto: true })
  const log: string[] = []
  watchListener(network.listen(at(4040), { backlog: 1 }), log, {
    accepted: transport => {
      watch(transport, 'b', log).resume()
      transport.write('x', 'utf8')
    },
  })
  const a = network.connect(at(4040), {})
  await new Promise<void>(resolve =>
    watch(a, 'a', log, { opened: () => a.resume(), received: resolve }),
  )
  t.equal(taken(log), 'listening, a opened, accepted, a received x')
  const closed = new Promise<void>(resolve => {
    watch(a, 'a', log, {
      ended: () => {
        throw new Error('mine')
      },
      closed: resolve,
    })
  })
  a.end()
  network.transports[1]!.end()
  await closed
  t.match(errors, [{ message: 'mine' }])
  t.equal(taken(log), 'a ended, a closed, b ended, b closed')
})

t.test('ports begin again after the last one', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  watchListener(network.listen(at(4040), { backlog: 1 }), log)
  settle(network)
  let last: Transport | undefined
  for (let port = 49152; port <= 65536; port++) {
    last = network.connect(at(4040), {})
    network.pump()
    last.destroy()
    network.transports.forEach(transport => transport.destroy())
    network.pump()
  }
  t.same(last!.local_address, ['127.0.0.1', 49152])
})
