/** The hooks of a Stream: what each does by default. */

import t from 'tap'
import { StreamHooks } from '../../../src/channels/streams/stream-hooks.ts'

class Some extends StreamHooks {
  readonly log: string[] = []

  override close(flush = false): void {
    this.log.push(`close ${flush}`)
  }

  override on_error(error: Error): void {
    this.log.push(error.message)
  }
}

t.test('what a hook does by default', async t => {
  const some = new Some()
  t.same([some.on_read('data'), some.on_tls_handshake()], [undefined, undefined])
  some.on_read_end()
  some.on_tls_handshake_error(new Error('handshake'))
  some.on_tls_error(new Error('tls'))
  t.same(some.log, ['close true', 'handshake', 'tls'])
})
