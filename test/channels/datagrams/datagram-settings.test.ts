/** The settings of a Datagram: defaults and refusals. */

import t from 'tap'
import {
  DATAGRAM_CHECKS,
  DATAGRAM_DEFAULTS,
  isReading,
} from '../../../src/channels/datagrams/datagram-settings.ts'
import { checkTables } from '../settings-kit.ts'

checkTables(DATAGRAM_CHECKS, DATAGRAM_DEFAULTS, [
  ['read_delimiter', ['', 0, {}], /read_delimiter/],
  ['regex_search', [1], /true or false/],
  ['encoding', ['utf9', undefined], /encoding/],
  ['buffer_size', [0, -1, 1.5, '1'], /at least 1/],
  ['whole_packets', ['yes', 1], /true or false/],
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
  ['ipv6_only', [1], /true or false/],
  ['socket_recv_buffer_size', [0, 1.5, 2 ** 31, '9', Infinity], /1 to 2147483647, or null/],
  ['socket_send_buffer_size', [0], /or null/],
])

t.test('valid values', async t => {
  t.equal(DATAGRAM_CHECKS.ttl('ttl', 255), 255)
  t.equal(DATAGRAM_CHECKS.ttl('ttl', null), null)
  t.equal(DATAGRAM_CHECKS.multicast_ttl('multicast_ttl', 0), 0)
  t.equal(DATAGRAM_CHECKS.multicast_interface('multicast_interface', '127.0.0.1'), '127.0.0.1')
})

t.test('kinds of settings', async t => {
  t.equal(isReading('encoding'), true)
  t.equal(isReading('ttl'), false)
})
