/** What a packet socket is told of the settings of its Datagram. */

import t from 'tap'
import { DATAGRAM_DEFAULTS } from '../../../src/channels/datagrams/datagram-settings.ts'
import {
  anyHostOf,
  isLive,
  isOfSocket,
  packetOptions,
  tell,
} from '../../../src/channels/datagrams/packet-options.ts'
import { ChannelError } from '../../../src/errors.ts'
import type { PacketSocket } from '../../../src/transport.ts'

t.test('a socket is told only what differs from the default', async t => {
  t.same(packetOptions(DATAGRAM_DEFAULTS), {})
  t.equal(anyHostOf({}), undefined)
  const values = {
    ...DATAGRAM_DEFAULTS,
    broadcast: true,
    reuse_address: true,
    multicast_interface: '127.0.0.1',
    buffer_size: 7,
    ipv6_only: false,
    socket_recv_buffer_size: 9000,
  }
  t.same(packetOptions(values), {
    broadcast: true,
    reuse_address: true,
    multicast_interface: '127.0.0.1',
    socket_recv_buffer_size: 9000,
  })
  t.equal(anyHostOf(packetOptions(values)), undefined)
  for (const option of [{ ttl: 4 }, { multicast_ttl: 4 }, { multicast_loopback: false }]) {
    t.same(packetOptions({ ...DATAGRAM_DEFAULTS, ...option }), option)
    t.equal(anyHostOf(option), '0.0.0.0')
    t.equal(anyHostOf({ ...option, ipv6_only: true }), '::')
  }
})

t.test('kinds of settings', async t => {
  t.equal(isLive('ttl'), true)
  t.equal(isLive('reuse_address'), false)
  t.same(['ttl', 'ipv6_only', 'encoding'].map(isOfSocket), [true, true, false])
})

t.test('what an open socket refuses is thrown, as an error of ours', async t => {
  const socket = { fileno: 5 } as PacketSocket
  const fail = (error: unknown) => () => {
    throw error
  }
  tell(socket, 'ttl', told => t.equal(told, socket))
  tell(undefined, 'ttl', fail('nobody is told'))
  t.throws(
    () => tell(socket, 'ttl', fail(Object.assign(new Error('setTTL EINVAL'), { code: 'EINVAL' }))),
    { name: 'ChannelError', code: 'EINVAL', message: 'ttl: setTTL EINVAL' },
  )
  t.throws(() => tell(socket, 'ttl', fail('a word')), {
    name: 'ChannelError',
    code: 'ERR_UNKNOWN',
    message: 'ttl: "a word"',
  })
  const own = new ChannelError('ERR_OWN', 'as it is')
  t.throws(() => tell(socket, 'ttl', fail(own)), own)
})
