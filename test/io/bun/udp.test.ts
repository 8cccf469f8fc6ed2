/** A packet socket of Bun's, in the shape of one of node:dgram. */

import { Buffer } from 'node:buffer'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import type { BunUdpOptions } from '../../../src/io/bun/bun.ts'
import { bunUdp, type HowToSend } from '../../../src/io/bun/udp.ts'
import { turn } from '../../kit.ts'
import { FakeBun, FakeUdp, refusal } from './kit.ts'

/** A bound socket, the one of Bun's below it, and what was asked of Bun. */
async function bound(how: HowToSend = {}): Promise<[Socket, FakeUdp, BunUdpOptions]> {
  const bun = new FakeBun()
  const socket = bunUdp(bun, how)
  socket.bind({ address: '127.0.0.1', port: 5 } as never)
  await once(socket, 'listening')
  return [socket, bun.udp, bun.udpAsked.at(-1)!]
}

/** What `done` got. */
function sent(socket: Socket, ...to: unknown[]): Promise<unknown> {
  return new Promise(resolve => {
    ;(socket.send as (...args: unknown[]) => void)(Buffer.from('a'), ...to, resolve)
  })
}

t.test('how it is bound', async t => {
  const [, , { socket, ...asked }] = await bound()
  t.same(asked, { hostname: '127.0.0.1', port: 5, flags: 0 })
  t.equal((await bound({ ipv6Only: true }))[2].flags, 1)
  t.equal((await bound({ reuseAddr: true }))[2].flags, 4)
  const connect = { hostname: '::1', port: 7 }
  const [peer, , its] = await bound({ ipv6Only: true, reuseAddr: true, connect })
  t.match(its, { flags: 5, connect })
  peer.connect(7, '::1')
  await once(peer, 'connect')
  t.equal(typeof socket, 'object')
})

t.test('what the system refuses', async t => {
  const bun = new FakeBun()
  bun.errors.push(refusal('EADDRINUSE'))
  const socket = bunUdp(bun, {})
  socket.bind({ address: '127.0.0.1', port: 5 } as never)
  t.match(await once(socket, 'error'), [{ code: 'EADDRINUSE' }])
})

t.test('closed before it is bound', async t => {
  const bun = new FakeBun()
  const socket = bunUdp(bun, {})
  socket.bind({ address: '127.0.0.1', port: 5 } as never)
  t.equal((socket as unknown as { fd: number }).fd, -1)
  socket.on('listening', () => t.fail('it was closed'))
  await new Promise<void>(resolve => socket.close(resolve))
  await turn()
  t.same(bun.udp.calls, [['close']])
})

t.test('what it tells', async t => {
  const [socket, udp, { socket: handlers }] = await bound({
    connect: { hostname: '127.0.0.1', port: 7 },
  })
  t.same(socket.address(), { address: '127.0.0.1', port: 5 })
  t.same(socket.remoteAddress(), { address: '127.0.0.1', port: 7 })
  t.equal(socket.getSendQueueSize(), 0)
  t.equal((socket as unknown as { fd: number }).fd, 9)
  const told: unknown[] = []
  socket.on('message', (...what) => told.push(what))
  socket.on('error', error => told.push(error))
  handlers.data(udp, Buffer.from('b'), 7, '127.0.0.1')
  const error = Object.assign(new Error('recv'), { code: 'ECONNREFUSED', errqueue: true })
  handlers.error(error)
  t.same(told, [[Buffer.from('b'), { address: '127.0.0.1', port: 7 }], error])
  const [free, , of] = await bound()
  free.on('error', () => t.fail('not connected'))
  of.socket.error(error)
  await new Promise<void>(resolve => socket.close(resolve))
  t.same(udp.calls, [['close']])
})

t.test('sends; what the system does not take waits', async t => {
  const [socket, udp, { socket: handlers }] = await bound()
  t.equal(await sent(socket, 7, '127.0.0.1'), null)
  t.equal(await sent(socket), null)
  udp.isFull = true
  const waiting = sent(socket, 8, '127.0.0.1')
  await turn()
  udp.isFull = false
  handlers.drain(udp)
  t.equal(await waiting, null)
  const [to7, to8] = [
    ['send', 'a', 7, '127.0.0.1'],
    ['send', 'a', 8, '127.0.0.1'],
  ]
  t.same(udp.calls, [to7, ['send', 'a', undefined, undefined], to8, to8])
  udp.error = refusal('EMSGSIZE')
  t.match(await sent(socket, 7, '127.0.0.1'), { code: 'EMSGSIZE' })
})

t.test('settings', async t => {
  const [socket, udp] = await bound()
  socket.setBroadcast(true)
  socket.setTTL(1)
  socket.setMulticastTTL(2)
  socket.setMulticastLoopback(false)
  socket.setMulticastInterface('127.0.0.1')
  socket.addMembership('g')
  socket.dropMembership('g', 'i')
  socket.addSourceSpecificMembership('s', 'g', 'i')
  socket.dropSourceSpecificMembership('s', 'g')
  t.same(udp.calls, [
    ['setBroadcast', true],
    ['setTTL', 1],
    ['setMulticastTTL', 2],
    ['setMulticastLoopback', false],
    ['setMulticastInterface', '127.0.0.1'],
    ['addMembership', 'g', undefined],
    ['dropMembership', 'g', 'i'],
    ['addSourceSpecificMembership', 's', 'g', 'i'],
    ['dropSourceSpecificMembership', 's', 'g', undefined],
  ])
  udp.error = refusal('EINVAL')
  for (const [call, make] of [
    ['addMembership', () => socket.addMembership('g')],
    ['dropMembership', () => socket.dropMembership('g')],
    ['addSourceSpecificMembership', () => socket.addSourceSpecificMembership('s', 'g')],
    ['dropSourceSpecificMembership', () => socket.dropSourceSpecificMembership('s', 'g')],
  ] as const)
    t.throws(make, {
      code: 'EINVAL',
      syscall: call,
      message: `${call}: Failed to listen at 127.0.0.1`,
    })
  for (const make of [() => socket.setRecvBufferSize(1), () => socket.setSendBufferSize(1)])
    t.throws(make, { code: 'ERR_UNSUPPORTED_OPTION', message: /needs node:dgram: on Bun, use/ })
})
