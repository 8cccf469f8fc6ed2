/** What is told of a transport that is gone. */

import t from 'tap'
import { NO_PAST, pastOf } from '../../src/channels/past.ts'
import { FakeTransport } from './link-kit.ts'

t.test('a copy of what it was at the end', async t => {
  const transport = new FakeTransport()
  const past = pastOf(transport)
  transport.bytes_read = 99
  t.same(past, {
    local_address: ['here', 1],
    remote_address: ['there', 2],
    bytes_read: 4,
    bytes_written: 5,
    tls: undefined,
  })
})

t.test('without a transport nothing is known, and nothing has gone', async t => {
  t.same([NO_PAST.local_address, NO_PAST.remote_address, NO_PAST.tls], Array(3).fill(undefined))
  t.same([NO_PAST.bytes_read, NO_PAST.bytes_written], [0, 0])
})
