/** The base of transports that are over another one. */

import t from 'tap'
import { TransportOver } from '../../src/core/transport-over.ts'
import type { Transport } from '../../src/transport.ts'
import { fakeTransport } from '../kit.ts'

t.test('passes everything on', async t => {
  const calls: string[] = []
  const transport = new TransportOver(fakeTransport(calls))
  t.equal(transport.write('x', 'latin1'), true)
  transport.cork()
  transport.uncork()
  transport.pause()
  transport.resume()
  transport.end()
  transport.destroy()
  transport.set_no_delay(true)
  transport.set_keep_alive(5, { count: 3 })
  t.strictSame(calls, [
    'write x latin1',
    'cork',
    'uncork',
    'pause',
    'resume',
    'end',
    'destroy',
    'set_no_delay true',
    'set_keep_alive 5 [object Object]',
  ])
  t.strictSame(
    [transport.local_address, transport.remote_address, transport.fileno],
    [['here', 1], ['there', 2], 3],
  )
  t.strictSame([transport.bytes_read, transport.bytes_written, transport.bytes_queued], [4, 5, 6])
  t.strictSame(transport.proxy_extensions, new Map())
  t.equal(transport.keeps_data, false)
  t.equal(new TransportOver({ ...fakeTransport([]), keeps_data: true }).keeps_data, true)
})

t.test('tells a sink that it has closed, also one that comes too late', async t => {
  const transport = new TransportOver(fakeTransport([]))
  transport.closed()
  let count = 0
  const sink = { closed: () => void count++ } as Transport['sink']
  transport.sink = sink
  t.equal(transport.sink, sink)
  t.equal(count, 0, 'not in the call')
  await null
  t.equal(count, 1)
  transport.sink = undefined
  await null
  const open = new TransportOver(fakeTransport([]))
  open.sink = sink
  open.closed()
  t.equal(count, 2)
})
