/** What a Stream and a Datagram have in common: what can be asked, and the hooks. */

import t from 'tap'
import { DataChannel, type DataDriver } from '../../src/channels/data-channel.ts'
import { LIFE } from '../../src/channels/life.ts'
import { OverflowError } from '../../src/errors.ts'

class Some extends DataChannel {
  readonly errors: unknown[] = []

  override close(): void {}

  override on_error(error: Error): void {
    this.errors.push(error)
  }
}

t.test('what can be asked is what its link says', async t => {
  const told = {
    remote_address: ['192.0.2.1', 1],
    local_address: ['192.0.2.2', 2],
    bytes_read: 4,
    bytes_written: 5,
  }
  const own = { fileno: 3, bytes_queued: 6 }
  const some = new Some()
  some[LIFE].driver = { told, ...own } as unknown as DataDriver
  for (const [name, value] of Object.entries({ ...told, ...own }))
    t.equal(some[name as keyof Some], value, name)
})

t.test('by default a hook does nothing, and an error goes to on_error', async t => {
  const some = new Some()
  const error = new OverflowError('send', 1, 'for a test')
  t.same([some.on_connect(), some.on_write()], [undefined, undefined])
  const hooks = [
    'on_connect_error',
    'on_read_error',
    'on_write_error',
    'on_overflow_error',
  ] as const
  for (const hook of hooks) some[hook](error)
  t.strictSame(
    some.errors,
    hooks.map(() => error),
  )
})

t.test('what on_error returns is returned, so that its promise counts', async t => {
  const some = new Some()
  const promise = Promise.resolve()
  some.on_error = () => promise
  const error = new OverflowError('send', 1, 'for a test')
  t.equal(some.on_connect_error(error), promise)
  t.equal(some.on_read_error(error), promise)
  t.equal(some.on_write_error(error), promise)
  t.equal(some.on_overflow_error(error), promise)
})
