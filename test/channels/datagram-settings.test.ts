/** The settings of a Datagram: defaults, refusals, and what of them a socket is told. */

import t from 'tap'
import {
  about,
  DATAGRAM_CHECKS,
  DATAGRAM_DEFAULTS,
  isLive,
  isOfOneFamily,
  isReading,
  packetOptions,
  tell,
} from '../../src/channels/datagram-settings.ts'
import { ChannelError, WriteError } from '../../src/errors.ts'
import type { PacketSocket } from '../../src/transport.ts'
import { checkTables } from './settings-kit.ts'

checkTables(DATAGRAM_CHECKS, DATAGRAM_DEFAULTS, [
  ['read_delimiter', ['', 0, {}], /read_delimiter/],
  ['regex_search', [1], /true or false/],
  ['encoding', ['utf9', undefined], /encoding/],
  ['buffer_size', [0, -1, 1.5, '1'], /at least 1/],
  ['max_senders', [0, NaN], /at least 1/],
  ['senders_buffer_size', [0], /at least 1/],
  ['send_high_water', [0], /at least 1/],
  ['send_buffer_size', [0], /at least 1/],
  ['end_timeout', [0, '1'], /milliseconds/],
  ['broadcast', [1], /true or false/],
  ['reuse_address', ['yes'], /true or false/],
  ['ttl', [0, 256, 1.5, '64'], /hops, 1 to 255/],
  ['multicast_ttl', [-1, 256, null], /hops, 0 to 255/],
  ['multicast_loopback', [null], /true or false/],
  ['multicast_interface', ['', 7], /network interface/],
])

t.test('what can', async t => {
  t.equal(DATAGRAM_CHECKS.ttl('ttl', 255), 255)
  t.equal(DATAGRAM_CHECKS.ttl('ttl', null), null)
  t.equal(DATAGRAM_CHECKS.multicast_ttl('multicast_ttl', 0), 0)
  t.equal(DATAGRAM_CHECKS.multicast_interface('multicast_interface', '127.0.0.1'), '127.0.0.1')
})

t.test('a socket is told only what differs from the default', async t => {
  t.same(packetOptions(DATAGRAM_DEFAULTS), {})
  t.equal(isOfOneFamily({}), false)
  const values = {
    ...DATAGRAM_DEFAULTS,
    broadcast: true,
    reuse_address: true,
    multicast_interface: '127.0.0.1',
    buffer_size: 7,
  }
  t.same(packetOptions(values), {
    broadcast: true,
    reuse_address: true,
    multicast_interface: '127.0.0.1',
  })
  t.equal(isOfOneFamily(packetOptions(values)), false)
  for (const option of [{ ttl: 4 }, { multicast_ttl: 4 }, { multicast_loopback: false }]) {
    t.same(packetOptions({ ...DATAGRAM_DEFAULTS, ...option }), option)
    t.equal(isOfOneFamily(option), true)
  }
})

t.test('kinds of settings, and errors with an address', async t => {
  t.equal(isLive('ttl'), true)
  t.equal(isLive('reuse_address'), false)
  t.equal(isReading('encoding'), true)
  t.equal(isReading('ttl'), false)
  const error = new WriteError('EMSGSIZE', 'too long')
  t.equal(about(['127.0.0.1', 9], error), error)
  t.match(error, { code: 'EMSGSIZE', remote_address: ['127.0.0.1', 9] })
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
