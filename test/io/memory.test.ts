/** MemoryNetwork by hand: every report comes from a pump, so each test says exactly when. The contract is in scenarios/. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Test } from 'tap'
import { MemoryNetwork } from '../../src/io/memory.ts'
import type { MemoryNetworkOptions } from '../../src/io/memory.ts'
import type { ConnectOptions, Endpoint, Listener, PacketOptions, PacketSocket, SystemError, Transport } from '../../src/transport.ts'

const at = (port: number, host = ''): Endpoint => ({ kind: 'ip', host, port })
const path = (path: string): Endpoint => ({ kind: 'unix', path })

/** Logs what is reported; `hooks` are called inside the reports. */
function watch(transport: Transport, name: string, log: string[], hooks: Record<string, () => void> = {}): Transport {
  const note = (what: string): void => {
    log.push(`${name} ${what}`)
    hooks[what.split(' ')[0]!]?.()
  }
  transport.sink = {
    opened: () => note('opened'),
    received: chunk => note(`received ${chunk.length > 20 ? chunk.length : chunk}`),
    drained: () => note('drained'),
    ended: () => note('ended'),
    failed: error => note(`failed ${error.code} ${error.syscall}`),
    closed: () => note('closed'),
  }
  return transport
}

function watchListener(listener: Listener, log: string[], hooks: { accepted?: (transport: Transport) => void; failed?: () => void } = {}): Listener {
  listener.sink = {
    listening: () => log.push('listening'),
    accepted: transport => {
      log.push('accepted')
      hooks.accepted?.(transport)
    },
    failed: error => {
      log.push(`failed ${error.code} ${error.syscall}`)
      hooks.failed?.()
    },
    closed: () => log.push('closed'),
  }
  return listener
}

function settle(network: MemoryNetwork): void {
  while (network.pump() > 0) { /* until all is quiet */ }
}

/** Catches what is thrown in turns of the loop, which would end the process. */
function catching(t: Test): unknown[] {
  const [errors, original]: [unknown[], typeof setImmediate] = [[], globalThis.setImmediate]
  const caught = (callback: () => void): unknown => original(() => {
    try {
      callback()
    } catch (error) {
      errors.push(error)
    }
  })
  globalThis.setImmediate = caught as typeof setImmediate
  t.teardown(() => { globalThis.setImmediate = original })
  return errors
}

/** An open pipe, a and b, both flowing, and an empty log. */
function pair(options: MemoryNetworkOptions = {}, hooks: Record<string, () => void> = {}, how: ConnectOptions = {}, to = at(4040)) {
  const network = new MemoryNetwork(options)
  const log: string[] = []
  const made: Transport[] = []
  const listener = watchListener(network.listen(to, { backlog: 1 }), log, { accepted: transport => made.push(watch(transport, 'b', log)) })
  const a = watch(network.connect(to, how), 'a', log, hooks)
  settle(network)
  const b = made[0]!
  a.resume()
  b.resume()
  log.length = 0
  return { network, log, a, b, listener }
}

const taken = (log: string[]): string => log.splice(0).join(', ')

t.test('nothing moves but by pump, and each part takes one step a pump', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const listener = watchListener(network.listen(at(4040), { backlog: 1 }), log, {
    accepted: transport => watch(transport, 'b', log).resume(),
  })
  const a = watch(network.connect(at(4040, 'localhost'), {}), 'a', log, { opened: () => a.write('hello', 'utf8') })
  t.same([taken(log), listener.local_address, a.local_address, a.remote_address], ['', undefined, undefined, undefined])
  t.equal(network.pump(), 2)
  t.equal(taken(log), 'listening, a opened')
  t.same([listener.local_address, a.local_address, a.remote_address], [['127.0.0.1', 4040], ['127.0.0.1', 49152], ['127.0.0.1', 4040]])
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
  t.throws(() => {
    size = -1
    asked.a.write('x', 'utf8')
    asked.network.pump()
  }, { code: 'ERR_INVALID_ARGUMENT', message: /chunk/ })
})

t.test('throws what is no size', async t => {
  for (const size of [0, -1, 1.5, NaN]) {
    t.throws(() => new MemoryNetwork({ chunk: size }), { code: 'ERR_INVALID_ARGUMENT' })
    t.throws(() => new MemoryNetwork({ capacity: size }), { code: 'ERR_INVALID_ARGUMENT' })
  }
  t.throws(() => new MemoryNetwork().pump(-1), { code: 'ERR_INVALID_ARGUMENT' })
  t.equal(new MemoryNetwork().pump(0), 0)
})

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

t.test('reset breaks both sides, and loses what was on its way', async t => {
  const { network, log, a } = pair()
  a.write('lost', 'utf8')
  network.reset(a)
  settle(network)
  t.equal(taken(log), 'a failed ECONNRESET read, a closed, b failed ECONNRESET read, b closed')
  network.reset(a)
  t.equal(network.pump(), 0)
})

t.test('reset inside a report ends what was being delivered', async t => {
  const { network, log, a, b } = pair({ chunk: 1 }, { received: () => network.reset(b) })
  b.write('xyz', 'utf8')
  settle(network)
  t.equal(taken(log), 'a received x, a failed ECONNRESET read, a closed, b failed ECONNRESET read, b closed')
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
  a.sink = { ...watch(a, 'a', log).sink!, failed: error => { failure = error } }
  watch(network.connect(path('/nowhere'), {}), 'u', log)
  settle(network)
  t.equal(taken(log), 'a closed, u failed ENOENT connect, u closed')
  t.match(failure, { code: 'ECONNREFUSED', syscall: 'connect', message: 'connect ECONNREFUSED 127.0.0.1:9' })
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
  watchListener(network.listen(at(4040), { backlog: 1 }), log, { accepted: transport => watch(transport, 'b', log).resume() })
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
  t.same([a.local_address, b.remote_address, b.local_address], [['10.0.0.7', 7], ['10.0.0.7', 7], ['127.0.0.1', 4040]])
  const unix = pair({}, {}, {}, path('/tmp/socket'))
  t.same([unix.a.local_address, unix.a.remote_address, unix.b.local_address, unix.b.remote_address], ['', '/tmp/socket', '/tmp/socket', ''])
  unix.a.set_no_delay(true)
  unix.a.set_keep_alive(false)
})

t.test('listens: in use, port 0, closing', async t => {
  const { network, listener } = pair({}, {}, {}, at(49153))
  const log: string[] = []
  const second = watchListener(network.listen(at(49153, '::'), { backlog: 1 }), log, { failed: () => second.close() })
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

t.test('pump inside a report does nothing', async t => {
  const counts: number[] = []
  const { network, log, b } = pair({}, { received: () => counts.push(network.pump()) })
  b.write('x', 'utf8')
  settle(network)
  t.same([taken(log), counts], ['a received x', [0]])
})

t.test('what a sink throws comes out of pump, and the next one goes on', async t => {
  const { network, log, b } = pair({ chunk: 1 }, { received: () => { throw new Error('mine') } })
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
  await new Promise<void>(resolve => watch(a, 'a', log, { opened: () => a.resume(), received: resolve }))
  t.equal(taken(log), 'listening, a opened, accepted, a received x')
  const closed = new Promise<void>(resolve => {
    watch(a, 'a', log, {
      ended: () => { throw new Error('mine') },
      closed: resolve,
    })
  })
  a.end()
  network.transports[1]!.end()
  await closed
  t.match(errors, [{ message: 'mine' }])
  t.equal(taken(log), 'a ended, a closed, b ended, b closed')
})

// ---- Packets --------------------------------------------------------------------------------------------------------

function open(network: MemoryNetwork, name: string, log: string[], options: PacketOptions, hook = (): void => {}): PacketSocket {
  const socket = network.packets(options)
  const note = (what: string): void => {
    log.push(`${name} ${what}`)
    hook()
  }
  socket.sink = {
    opened: () => note('opened'),
    received: (data, from) => note(`received ${data} from ${from}`),
    refused: error => note(`refused ${error.code} ${error.syscall}`),
    failed: error => note(`failed ${error.code} ${error.syscall}`),
    closed: () => note('closed'),
  }
  return socket
}

t.test('packets go whole and in order, to a given address or to the peer', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const done = (error: SystemError | null): void => void log.push(`done ${error?.code ?? ''}`)
  const a = open(network, 'a', log, { bind: at(1) })
  const b = open(network, 'b', log, { connect: at(1) })
  t.same([a.local_address, b.remote_address], [undefined, undefined])
  network.pump()
  t.equal(taken(log), 'a opened, b opened')
  t.same([a.local_address, b.local_address, b.remote_address, a.fileno], [['127.0.0.1', 1], ['127.0.0.1', 49152], ['127.0.0.1', 1], undefined])
  b.send('one', 'utf8', undefined, done)
  b.send(Buffer.from('two'), 'utf8', undefined, done)
  t.equal(taken(log), '')
  settle(network)
  t.equal(taken(log), 'done , done , a received one from 127.0.0.1,49152, a received two from 127.0.0.1,49152')
  a.send('back', 'utf8', at(49152), done)
  open(network, 'c', log, { bind: at(3) }).send('stranger', 'utf8', at(49152), done)
  settle(network)
  t.equal(taken(log), 'done , b received back from 127.0.0.1,1, c opened, done ', 'a connected socket hears its peer only')
})

t.test('packets that cannot be sent', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const done = (error: SystemError | null): void => void log.push(`done ${error?.code ?? ''}`)
  const connected = open(network, 'a', log, { connect: at(9) })
  const free = open(network, 'b', log, {})
  connected.send('x', 'utf8', undefined, done)
  free.send('x', 'utf8', at(9), done)
  free.send('x', 'utf8', undefined, done)
  free.send(Buffer.alloc(65_508), 'utf8', at(9), done)
  free.send(Buffer.alloc(65_507), 'utf8', at(9), done)
  settle(network)
  t.equal(taken(log), 'a opened, done , a refused ECONNREFUSED recv, b opened, done , done EDESTADDRREQ, done EMSGSIZE, done ')
  const closing: PacketSocket = open(network, 'c', log, { connect: at(9) }, () => { if (log.at(-1)?.includes('refused')) closing.destroy() })
  closing.send('x', 'utf8', undefined, done)
  closing.send('x', 'utf8', undefined, done)
  settle(network)
  t.equal(taken(log), 'c opened, done , done , c refused ECONNREFUSED recv, c closed')
})

t.test('a packet socket that is destroyed', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const done = (error: SystemError | null): void => void log.push(`done ${error?.code ?? ''}`)
  const early = open(network, 'a', log, { bind: at(1) })
  early.send('x', 'utf8', at(1), done)
  early.destroy()
  early.destroy()
  settle(network)
  t.equal(taken(log), 'done ECANCELED, a closed')
  early.destroy()
  early.send('x', 'utf8', at(1), done)
  settle(network)
  t.equal(taken(log), 'done ECANCELED')
  const b: PacketSocket = open(network, 'b', log, { bind: at(1) }, () => b.destroy())
  settle(network)
  t.equal(taken(log), 'b opened, b closed', 'the port was free, and is again')
  const c: PacketSocket = open(network, 'c', log, { bind: at(1) }, () => { if (log.at(-1)?.includes('received')) c.destroy() })
  c.send('1', 'utf8', at(1), done)
  c.send('2', 'utf8', at(1), done)
  settle(network)
  t.equal(taken(log), 'c opened, done , done , c received 1 from 127.0.0.1,1, c closed')
})

t.test('ports in use, and shared', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const done = (): void => {}
  open(network, 'a', log, { bind: at(1) })
  open(network, 'b', log, { bind: at(1), reuse_address: true })
  const c = open(network, 'c', log, { bind: at(2), reuse_address: true })
  const d = open(network, 'd', log, { bind: at(2), reuse_address: true })
  settle(network)
  t.equal(taken(log), 'a opened, b failed EADDRINUSE bind, b closed, c opened, d opened')
  c.send('last', 'utf8', at(2), done)
  settle(network)
  t.equal(taken(log), 'd received last from 127.0.0.1,2')
  d.destroy()
  c.send('left', 'utf8', at(2), done)
  settle(network)
  t.equal(taken(log), 'd closed, c received left from 127.0.0.1,2')
})

t.test('groups', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const done = (): void => {}
  const group = '239.1.2.3'
  const a = open(network, 'a', log, { bind: at(5), reuse_address: true })
  const b = open(network, 'b', log, { bind: at(5), reuse_address: true })
  const other = open(network, 'other port', log, { bind: at(6) })
  const peer = open(network, 'peer', log, { bind: at(5), reuse_address: true, connect: at(6) })
  for (const socket of [a, b, other, peer]) socket.join(group)
  settle(network)
  log.length = 0
  a.send('hi', 'utf8', at(5, group), done)
  settle(network)
  t.equal(taken(log), 'b received hi from 127.0.0.1,5, a received hi from 127.0.0.1,5', 'the sender is a member, too')
  b.leave(group)
  a.send('hi', 'utf8', at(5, group), done)
  settle(network)
  t.equal(taken(log), 'a received hi from 127.0.0.1,5')
  a.configure({ multicast_loopback: false })
  a.send('hi', 'utf8', at(5, group), done)
  settle(network)
  t.equal(taken(log), '', 'without loopback nobody on this machine hears it')
  t.throws(() => a.join('127.0.0.1'), { code: 'EINVAL' })
  t.throws(() => a.join(group), { code: 'EADDRINUSE' })
  t.throws(() => b.leave(group), { code: 'EADDRNOTAVAIL' })
})
