/** Packet sockets in memory, pumped by hand. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import type { PacketOptions, PacketSocket, SystemError } from '../../../src/transport.ts'
import { at, settle, taken } from './kit.ts'

function open(
  network: MemoryNetwork,
  name: string,
  log: string[],
  options: PacketOptions,
  hook = (): void => {},
): PacketSocket {
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
  t.same(
    [a.local_address, b.local_address, b.remote_address, a.fileno],
    [['127.0.0.1', 1], ['127.0.0.1', 49152], ['127.0.0.1', 1], undefined],
  )
  b.send('one', 'utf8', undefined, done)
  b.send(Buffer.from('two'), 'utf8', undefined, done)
  t.equal(taken(log), '')
  settle(network)
  t.equal(
    taken(log),
    'done , done , a received one from 127.0.0.1,49152, a received two from 127.0.0.1,49152',
  )
  a.send('back', 'utf8', at(49152), done)
  open(network, 'c', log, { bind: at(3) }).send('stranger', 'utf8', at(49152), done)
  settle(network)
  t.equal(
    taken(log),
    'done , b received back from 127.0.0.1,1, c opened, done ',
    'a connected socket receives packets of its peer only',
  )
})

t.test('packets that cannot be sent', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const done = (error: SystemError | null): void => void log.push(`done ${error?.code ?? ''}`)
  const connected = open(network, 'a', log, { connect: at(9) })
  const free = open(network, 'b', log, {})
  connected.send('x', 'utf8', undefined, done)
  connected.send('x', 'utf8', at(9), done)
  free.send('x', 'utf8', at(9), done)
  free.send('x', 'utf8', undefined, done)
  free.send(Buffer.alloc(65_508), 'utf8', at(9), done)
  free.send(Buffer.alloc(65_507), 'utf8', at(9), done)
  settle(network)
  t.equal(
    taken(log),
    'a opened, done , done EISCONN, a refused ECONNREFUSED recv, ' +
      'b opened, done , done EDESTADDRREQ, done EMSGSIZE, done ',
  )
  const closing: PacketSocket = open(network, 'c', log, { connect: at(9) }, () => {
    if (log.at(-1)?.includes('refused')) closing.destroy()
  })
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
  for (const made of [
    () => early.configure({}),
    () => early.join('239.1.2.3'),
    () => early.leave('239.1.2.3'),
  ]) {
    t.throws(made, { code: 'ERR_INVALID_STATE' })
  }
  const b: PacketSocket = open(network, 'b', log, { bind: at(1) }, () => b.destroy())
  settle(network)
  t.equal(taken(log), 'b opened, b closed', 'the port was free, and is again')
  const c: PacketSocket = open(network, 'c', log, { bind: at(1) }, () => {
    if (log.at(-1)?.includes('received')) c.destroy()
  })
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
  t.equal(
    taken(log),
    'b received hi from 127.0.0.1,5, a received hi from 127.0.0.1,5',
    'the sender is a member, too',
  )
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

t.test('groups of one source', async t => {
  const network = new MemoryNetwork()
  const log: string[] = []
  const group = '232.1.2.3'
  const [here, there] = ['127.0.0.1', '10.0.0.7']
  const a = open(network, 'a', log, { bind: at(5), reuse_address: true })
  const b = open(network, 'b', log, { bind: at(5), reuse_address: true })
  a.join(group, undefined, here)
  a.join(group, undefined, there)
  b.join(group, undefined, there)
  const senders = [here, there].map(host => open(network, host, log, { bind: at(6, host) }))
  settle(network)
  log.length = 0
  const sendAll = (): string[] => {
    for (const sender of senders) sender.send('hi', 'utf8', at(5, group), () => {})
    settle(network)
    return log.splice(0).sort()
  }
  const heard = ['a received hi from 127.0.0.1,6', 'a received hi from 10.0.0.7,6']
  const other = 'b received hi from 10.0.0.7,6'
  t.same(sendAll(), [...heard, other].sort())
  a.leave(group, undefined, there)
  t.same(sendAll(), [heard[0], other])
  t.throws(() => a.leave(group), { code: 'EADDRNOTAVAIL' })
})

t.test('works without a sink', async t => {
  const network = new MemoryNetwork()
  const socket = network.packets({ bind: at(53) })
  const second = network.packets({ bind: at(53) })
  const caller = network.packets({ connect: at(9) })
  settle(network)
  socket.send('x', 'utf8', at(53), () => {})
  caller.send('x', 'utf8', undefined, () => {})
  settle(network)
  socket.destroy()
  settle(network)
  t.same(
    [socket.local_address, second.local_address, caller.remote_address],
    [['127.0.0.1', 53], undefined, ['127.0.0.1', 9]],
  )
})
