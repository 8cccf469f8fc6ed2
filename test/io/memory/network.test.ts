/**
 * MemoryNetwork: what it makes, its options, pump and reset. Its parts have tests of their own. The
 * contract is checked in scenarios/.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import { at, pair, settle, taken, watch, watchListener } from './kit.ts'

t.test('nothing moves but by pump, and each part takes one step a pump', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const listener = watchListener(network.listen(at(4040), { backlog: 1 }), log, {
    accepted: transport => watch(transport, 'b', log).resume(),
  })
  const a = watch(network.connect(at(4040, 'localhost'), {}), 'a', log, {
    opened: () => a.write('hello', 'utf8'),
  })
  t.same(
    [taken(log), listener.local_address, a.local_address, a.remote_address],
    ['', undefined, undefined, undefined],
  )
  t.equal(network.pump(), 2)
  t.equal(taken(log), 'listening, a opened')
  t.same(
    [listener.local_address, a.local_address, a.remote_address],
    [
      ['127.0.0.1', 4040],
      ['127.0.0.1', 49152],
      ['127.0.0.1', 4040],
    ],
  )
  t.equal(network.pump(), 1)
  t.equal(taken(log), 'accepted')
  t.equal(network.transports.length, 2)
  t.equal(network.pump(2), 2)
  t.equal(network.pump(2), 2)
  t.equal(network.pump(2), 1)
  t.equal(network.pump(), 0)
  t.equal(taken(log), 'b received he, b received ll, b received o')
})

t.test('moves in chunks of a size, or of sizes asked for', async t => {
  const fixed = pair({ chunk: 4 })
  fixed.a.write('0123456789', 'utf8')
  t.equal(fixed.network.pump(6), 6)
  t.equal(taken(fixed.log), 'b received 0123, b received 45')
  let size = 0
  const asked = pair({ chunk: () => ++size })
  asked.a.write('01', 'utf8')
  asked.a.write('23', 'utf8')
  asked.a.write('456789', 'utf8')
  asked.network.pump()
  t.equal(taken(asked.log), 'b received 0, b received 12, b received 345, b received 6789')
  t.throws(
    () => {
      size = -1
      asked.a.write('x', 'utf8')
      asked.network.pump()
    },
    { code: 'ERR_INVALID_ARGUMENT', message: /chunk/ },
  )
})

t.test('throws what is no size', async t => {
  for (const size of [0, -1, 1.5, NaN]) {
    t.throws(() => new MemoryNetwork({ chunk: size }), { code: 'ERR_INVALID_ARGUMENT' })
    t.throws(() => new MemoryNetwork({ capacity: size }), { code: 'ERR_INVALID_ARGUMENT' })
    t.throws(() => new MemoryNetwork({ auto: size as never }), { code: 'ERR_INVALID_ARGUMENT' })
  }
  t.throws(() => new MemoryNetwork({ chunks: 1 } as never), {
    message: 'MemoryNetwork: there is no option "chunks"; did you mean chunk?',
  })
  t.throws(() => new MemoryNetwork().pump(-1), { code: 'ERR_INVALID_ARGUMENT' })
  t.equal(new MemoryNetwork().pump(0), 0)
})

t.test('reset breaks both sides, and loses what was on its way', async t => {
  const { network, log, a } = pair()
  a.write('lost', 'utf8')
  network.reset(a)
  settle(network)
  t.equal(taken(log), 'a failed ECONNRESET read, a closed, b failed ECONNRESET read, b closed')
  network.reset(a)
  t.equal(network.pump(), 0)
})

t.test('no two listen at one port', async t => {
  const network = new MemoryNetwork()
  t.throws(() => network.listen({ kind: 'descriptor', fd: 3 }, { backlog: 1 }), {
    code: 'ERR_UNSUPPORTED_OPTION',
    message: /^fd needs sockets of the machine/,
  })
  for (const option of [{ reuse_port: true }, { ipv6_only: true }, { mode: 0 }])
    t.throws(() => network.listen(at(1), { backlog: 1, ...option }), {
      code: 'ERR_UNSUPPORTED_OPTION',
    })
})

t.test('nobody needs to listen to the reports', async t => {
  const network = new MemoryNetwork()
  const listener = network.listen(at(4040), { backlog: 1 })
  network.listen(at(4040), { backlog: 1 })
  const [a, refused] = [network.connect(at(4040), {}), network.connect(at(1), {})]
  settle(network)
  const b = network.transports[1]!
  a.resume()
  b.resume()
  a.write(Buffer.alloc(100_000), 'utf8')
  settle(network)
  b.end()
  settle(network)
  a.destroy()
  listener.close()
  const socket = network.packets({ bind: at(53) })
  network.packets({ bind: at(53) })
  settle(network)
  socket.send('x', 'utf8', at(53), () => {})
  network.packets({ connect: at(9) }).send('x', 'utf8', undefined, () => {})
  settle(network)
  socket.destroy()
  settle(network)
  t.same([b.bytes_read, refused.local_address, network.transports.length], [100_000, undefined, 0])
})
