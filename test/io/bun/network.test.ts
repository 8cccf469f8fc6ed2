/**
 * The network of Bun on a Bun that stands in for it: what it makes, and that it is refused where
 * there is none. On Bun itself the conformance suite and the scenarios hold it to the seam.
 */

import t from 'tap'
import { BunNetwork } from '../../../src/io/bun/network.ts'
import { BunTransport } from '../../../src/io/bun/transport.ts'
import type { Transport } from '../../../src/transport.ts'
import { turn, until } from '../../kit.ts'
import { FakeSocket, withBun } from './kit.ts'

const LOOPBACK = { kind: 'ip', host: '127.0.0.1', port: 0 } as const

t.test('is refused by name where there is no Bun', async t => {
  t.throws(() => new BunNetwork(), { code: 'ERR_UNSUPPORTED_OPTION', message: /^BunNetwork needs/ })
})

t.test('has no options', async t => {
  withBun(t)
  t.throws(() => Reflect.construct(BunNetwork, [{ fallback: true }]), {
    code: 'ERR_INVALID_ARGUMENT',
    message: 'BunNetwork: there is no option "fallback"; there are none',
  })
})

t.test('accepts; what nobody reads does not read', async t => {
  const bun = withBun(t)
  const listener = new BunNetwork().listen(LOOPBACK, { backlog: 5 })
  const accepted: Transport[] = []
  const log: string[] = []
  listener.sink = {
    listening: () => log.push('listening'),
    accepted: transport => {
      accepted.push(transport)
      if (accepted.length === 2) transport.resume()
    },
    failed: error => t.fail(error.message),
    closed: () => log.push('closed'),
  }
  t.equal(listener.fileno, 5)
  await until(() => log.length > 0)
  t.same(listener.local_address, ['127.0.0.1', 4040])
  t.same(bun.accept().calls, ['pause'])
  t.same(bun.accept().calls, [])
  const [transport] = accepted
  t.ok(transport instanceof BunTransport)
  t.same(transport!.local_address, ['127.0.0.1', 4040])
  t.same(transport!.remote_address, ['127.0.0.2', 2])
  const gone = new FakeSocket()
  gone.remoteAddress = undefined
  t.same(bun.accept(gone).calls, ['close'], 'it was reset before')
  t.equal(accepted.length, 2)
  listener.close()
  await turn()
  t.same([log, listener.fileno], [['listening', 'closed'], undefined])
})

t.test('connects, and opens packet sockets', async t => {
  const bun = withBun(t)
  const network = new BunNetwork()
  const transport = network.connect({ kind: 'unix', path: '/nowhere/at/all' }, {})
  const log: string[] = []
  transport.sink = {
    opened: () => log.push('opened'),
    received() {},
    drained() {},
    ended() {},
    failed: error => log.push(error.code as string),
    closed: () => log.push('closed'),
  }
  const packets = network.packets({ bind: LOOPBACK })
  await until(() => bun.udpAsked.length === 1)
  packets.destroy()
  await until(() => log.length === 2)
  t.same(log, ['ENOENT', 'closed'])
})

t.test('what it says of the machine', async t => {
  withBun(t)
  const network = new BunNetwork()
  t.ok(network.file_limit > 2)
  t.equal(network.has_keep_alive_probes, false)
})
