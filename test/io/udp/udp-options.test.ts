/** The options of packet sockets. What the kernel makes of them: test/scenarios/socket-options. */

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { apply, checkDual, checkIpv6 } from '../../../src/io/udp/udp-options.ts'
import { thrown } from '../../kit.ts'

t.test('refused', async t => {
  checkDual({ broadcast: true })
  for (const option of [{ ttl: 7 }, { multicast_ttl: 3 }, { multicast_loopback: false }])
    t.equal(
      thrown(() => checkDual(option)),
      'ERR_UNSUPPORTED_OPTION',
    )
  const end = (host: string) => ({ kind: 'ip', host, port: 1 }) as const
  checkIpv6(undefined, undefined)
  checkIpv6(end(''), end('localhost'))
  t.throws(() => checkIpv6(end('::'), end('1.2.3.4')), {
    code: 'ERR_UNSUPPORTED_OPTION',
    message: 'ipv6_only needs an IPv6 host, not 1.2.3.4',
  })
})

t.test('told to a socket', async t => {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  apply(socket, {})
  apply(socket, {
    broadcast: true,
    ttl: 7,
    multicast_ttl: 3,
    multicast_loopback: true,
    multicast_interface: '127.0.0.1',
    socket_recv_buffer_size: 20_000,
    socket_send_buffer_size: 30_000,
  })
  t.ok(socket.getRecvBufferSize() >= 20_000)
  t.ok(socket.getSendBufferSize() >= 30_000)
  t.throws(() => apply(socket, { ttl: 0 }), { code: 'EINVAL' })
})

t.test('a system that gives less than what was asked for', async t => {
  const small = {
    setRecvBufferSize() {},
    setSendBufferSize() {},
    getRecvBufferSize: () => 5,
    getSendBufferSize: () => 5,
  } as unknown as Socket
  t.throws(() => apply(small, { socket_recv_buffer_size: 6 }), {
    code: 'ERR_UNSUPPORTED_OPTION',
    message:
      'socket_recv_buffer_size needs a higher limit of the system for 6 bytes; ' +
      'it gives 5 (on Linux: sysctl net.core.rmem_max)',
  })
  t.throws(() => apply(small, { socket_send_buffer_size: 6 }), { message: /wmem_max\)$/ })
  t.doesNotThrow(() => apply(small, { socket_recv_buffer_size: 5 }))
})
