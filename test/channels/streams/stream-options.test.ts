/** The options of connect: what they become, and what is refused. */

import t from 'tap'
import { networkOptions, parseTarget } from '../../../src/channels/streams/stream-options.ts'
import { thrown } from '../../kit.ts'

t.test('where to', async t => {
  t.same(parseTarget(['localhost', 7]), { kind: 'ip', host: 'localhost', port: 7 })
  t.same(parseTarget('/run/x'), { kind: 'unix', path: '/run/x' })
  t.throws(() => parseTarget(0), { code: 'ERR_INVALID_ADDRESS', message: /port 0/ })
})

t.test('the options as a network takes them', async t => {
  const lookup = (): void => {}
  const { signal } = new AbortController()
  t.same(networkOptions(1, {}, null), { lend: false })
  const copies = { copies: true, cut: () => 1 }
  t.same(networkOptions(1, { signal, lookup, local_address: ['127.0.0.1', 5] }, copies), {
    lend: true,
    lookup,
    local: { kind: 'ip', host: '127.0.0.1', port: 5 },
  })
})

t.test('what is refused', async t => {
  for (const options of [null, 'x', { lookup: 'x' }, { signal: {} }, { timeout: 5 }])
    t.equal(
      thrown(() => networkOptions(1, options as never, '\n')),
      'ERR_INVALID_ARGUMENT',
    )
  t.throws(() => networkOptions(1, { timeout: 5 } as never, null), {
    message: 'connect: there is no option "timeout"; there are: signal, local_address, lookup',
  })
  t.throws(() => networkOptions(1, { local_address: '/run/x' as never }, null), {
    code: 'ERR_INVALID_ADDRESS',
  })
})
