/** The hooks of a Datagram: what each does by default. */

import t from 'tap'
import { DatagramHooks } from '../../../src/channels/datagrams/datagram-hooks.ts'
import { Engine } from '../../../src/engine.ts'
import { ListenError, WriteError } from '../../../src/errors.ts'

class Some extends DatagramHooks {
  override close(): void {
    t.fail('it goes on')
  }
}

t.test('what a hook does by default', async t => {
  const logged: string[] = []
  const some = new Some({ engine: new Engine({ log: message => logged.push(message) }) })
  const from: [string, number] = ['192.0.2.1', 1]
  t.same(
    [some.on_listen(), some.on_read('data', from), some.on_drop('overload', from, 5)],
    [undefined, undefined, undefined],
  )
  some.on_listen_error(new ListenError('EADDRINUSE', 'in use'))
  some.on_write_error(new WriteError('EMSGSIZE', 'too long'))
  t.match(logged, [/^Some: in use \(EADDRINUSE\)/, /^Some: too long \(EMSGSIZE\)$/])
})
