/** Transports in memory, pumped by hand. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import type { SystemError } from '../../../src/transport.ts'
import { at, pair, path, settle, taken, watch, watchListener } from './kit.ts'

t.test('says false beyond its capacity, and drained when all was taken', async t => {
  const { network, log, a, b } = pair({ capacity: 4 })
  b.pause()
  t.equal(a.write('0123', 'utf8'), true)
  t.equal(a.write('45', 'utf8'), false)
  t.equal(a.write('', 'utf8'), false)
  t.same([a.bytes_queued, a.bytes_written], [2, 4])
  t.equal(network.pump(), 0, 'a paused reader takes nothing')
  b.resume()
  network.pump(5)
  t.same([a.bytes_queued, a.bytes_written], [0, 6])
  t.equal(taken(log), 'b received 01234')
  settle(network)
  t.equal(taken(log), 'b received 5, a drained')
  t.equal(a.write('6', 'utf8'), true)
  t.equal(b.bytes_read, 6)
})

t.test('collects while corked', async t => {
  const { network, log, a } = pair({ capacity: 100 })
  a.write('a', 'utf8')
  a.cork()
  a.cork()
  a.write('b', 'utf8')
  a.uncork()
  t.equal(a.bytes_queued, 1)
  settle(network)
  a.uncork()
  a.uncork()
  a.write('c', 'utf8')
  settle(network)
  t.equal(taken(log), 'b received a, b received bc')
})

t.test('ends each side after its bytes, and closes when both have', async t => {
  const { network, log, a, b } = pair()
  a.write('bye', 'utf8')
  a.end()
  a.end()
  t.equal(a.write('late', 'utf8'), false)
  settle(network)
  t.equal(taken(log), 'b received bye, b ended')
  b.end()
  settle(network)
  t.equal(taken(log), 'a ended, a closed, b closed')
  t.same(network.transports, [])
  t.equal(b.write('late', 'utf8'), false)
  b.destroy()
  t.equal(network.pump(), 0)
})

t.test('waits with closing until what was written is taken', async t => {
  const { network, log, a, b } = pair({ capacity: 1 })
  b.pause()
  a.write('abc', 'utf8')
  a.end()
  b.end()
  settle(network)
  t.equal(taken(log), 'a ended', 'and no drained after end')
  b.resume()
  settle(network)
  t.equal(taken(log), 'b received abc, b ended, b closed, a closed')
})

t.test('destroys: the other side gets what the system had, then the end', async t => {
  const { network, log, a, b } = pair({ capacity: 3 })
  b.pause()
  a.write('abcdef', 'utf8')
  a.destroy()
  a.destroy()
  t.same([a.bytes_written, a.bytes_queued], [3, 0])
  settle(network)
  t.equal(taken(log), 'a closed')
  b.resume()
  settle(network)
  t.equal(taken(log), 'b received abc, b ended')
  t.equal(b.write('', 'utf8'), true)
  t.equal(b.write('anybody?', 'utf8'), false)
  settle(network)
  t.equal(taken(log), 'b failed EPIPE write, b closed')
})

t.test('destroys with input unread: the other side gets what was sent, then the break', async t => {
  const { network, log, a, b } = pair()
  a.pause()
  a.write('answer', 'utf8')
  b.write('question', 'utf8')
  a.destroy()
  settle(network)
  t.equal(taken(log), 'a closed, b received answer, b failed ECONNRESET read, b closed')
})

t.test('a paused reader sees no break, a writer who waits does', async t => {
  const { network, log, a, b } = pair({ capacity: 1 })
  b.pause()
  a.pause()
  b.write('many', 'utf8')
  a.destroy()
  settle(network)
  t.equal(taken(log), 'a closed, b failed ECONNRESET read, b closed')
  const idle = pair()
  idle.b.pause()
  idle.network.reset(idle.a)
  settle(idle.network)
  t.equal(taken(idle.log), 'a failed ECONNRESET read, a closed')
  idle.b.destroy()
  settle(idle.network)
  t.equal(taken(idle.log), 'b closed')
})

t.test('reset inside a report ends what was being delivered', async t => {
  const { network, log, a, b } = pair({ chunk: 1 }, { received: () => network.reset(b) })
  b.write('xyz', 'utf8')
  settle(network)
  t.equal(
    taken(log),
    'a received x, a failed ECONNRESET read, a closed, b failed ECONNRESET read, b closed',
  )
  t.equal(a.bytes_read, 1)
})

t.test('a sink may destroy inside each report', async t => {
  for (const report of ['opened', 'received', 'drained', 'ended', 'failed', 'closed']) {
    const network = new MemoryNetwork({ capacity: 1 })
    const log: string[] = []
    watchListener(network.listen(at(4040), { backlog: 1 }), [], {
      accepted: transport => {
        transport.resume()
        transport.write('x', 'utf8')
        transport.end()
      },
    })
    const a = watch(network.connect(at(report === 'failed' ? 1 : 4040), {}), 'a', log, {
      opened: () => {
        a.resume()
        a.write('many', 'utf8')
        if (report === 'closed') a.end()
      },
      [report]: () => a.destroy(),
    })
    settle(network)
    t.equal(log.filter(entry => entry.startsWith(`a ${report}`)).length, 1, report)
    t.equal(log.at(-1), 'a closed')
  }
})

t.test('refuses where nobody listens', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  let failure: SystemError | undefined
  const a = network.connect(at(9), {})
  a.write('early', 'utf8')
  t.same([a.bytes_queued, a.bytes_written], [5, 0], 'nothing is taken before it is open')
  a.sink = {
    ...watch(a, 'a', log).sink!,
    failed: error => {
      failure = error
    },
  }
  watch(network.connect(path('/nowhere'), {}), 'u', log)
  settle(network)
  t.equal(taken(log), 'a closed, u failed ENOENT connect, u closed')
  t.match(failure, {
    code: 'ECONNREFUSED',
    syscall: 'connect',
    message: 'connect ECONNREFUSED 127.0.0.1:9',
  })
  t.same([a.bytes_queued, a.bytes_written, a.local_address, a.fileno], [0, 0, undefined, undefined])
})

t.test('destroys while connecting: closed and nothing else', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  watchListener(network.listen(at(4040), { backlog: 1 }), log)
  const a = watch(network.connect(at(4040), {}), 'a', log)
  a.destroy()
  settle(network)
  t.equal(taken(log), 'listening, a closed')
})

t.test('what is written and ended before it is open arrives', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  watchListener(network.listen(at(4040), { backlog: 1 }), log, {
    accepted: transport => watch(transport, 'b', log).resume(),
  })
  const a = watch(network.connect(at(4040), {}), 'a', log)
  t.equal(a.write('earl', 'utf8'), false)
  a.cork()
  a.write(Buffer.from('ier'), 'utf8')
  a.end()
  settle(network)
  t.equal(taken(log), 'listening, a opened, accepted, b received earlier, b ended')
})

t.test('addresses: where the caller calls from, and paths', async t => {
  const { a, b } = pair({}, {}, { local: { host: '10.0.0.7', port: 7 } })
  t.same(
    [a.local_address, b.remote_address, b.local_address],
    [
      ['10.0.0.7', 7],
      ['10.0.0.7', 7],
      ['127.0.0.1', 4040],
    ],
  )
  const unix = pair({}, {}, {}, path('/tmp/socket'))
  t.same(
    [unix.a.local_address, unix.a.remote_address, unix.b.local_address, unix.b.remote_address],
    ['', '/tmp/socket', '/tmp/socket', ''],
  )
  unix.a.set_no_delay(true)
  unix.a.set_keep_alive(false)
})

t.test('a sink that is set after closed is told so, in a microtask', async t => {
  const { network, log, a } = pair()
  a.destroy()
  settle(network)
  t.equal(taken(log), 'a closed, b ended')
  watch(a, 'late', log)
  t.equal(taken(log), '', 'not inside the call')
  await Promise.resolve()
  t.equal(taken(log), 'late closed')
  a.sink = undefined
  await Promise.resolve()
  t.equal(taken(log), '')
})

t.test('works without a sink', async t => {
  const { network, a, b } = pair({ capacity: 1 })
  a.sink = b.sink = undefined
  a.write('many', 'utf8')
  settle(network)
  t.equal(b.bytes_read, 4)
  a.end()
  settle(network)
  network.reset(b)
  const [caller, refused] = [network.connect(at(4040), {}), network.connect(at(1), {})]
  settle(network)
  t.same([caller.remote_address, refused.remote_address], [['127.0.0.1', 4040], undefined])
})
