/** The options of listen and of end: what is refused. */

import t from 'tap'
import {
  checkEndOptions,
  checkListenOptions,
  checkProxy,
} from '../../../src/channels/servers/server-options.ts'
import { thrown } from '../../kit.ts'

t.test('of listen', async t => {
  checkListenOptions(1, {})
  checkListenOptions(1, { reuse_port: true, ipv6_only: true, mode: 0o777 })
  for (const options of [
    null,
    5,
    { reuse_port: 1 },
    { ipv6_only: 'yes' },
    { mode: '660' },
    { mode: -1 },
    { mode: 0o1000 },
    { mode: 1.5 },
    { backlog: 5 },
  ])
    t.equal(
      thrown(() => checkListenOptions(1, options as never)),
      'ERR_INVALID_ARGUMENT',
    )
  t.throws(() => checkListenOptions(1, { backlog: 5 } as never), {
    message: 'listen: there is no option "backlog"; there are: reuse_port, ipv6_only, mode',
  })
})

t.test('of the PROXY protocol: whoever trusts it says whom', async t => {
  const proxy_trusted = { check: () => true }
  checkProxy({ proxy_protocol: null, proxy_trusted: null })
  checkProxy({ proxy_protocol: 'require', proxy_trusted })
  t.equal(
    thrown(() => checkProxy({ proxy_protocol: 'optional', proxy_trusted: null })),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('of end', async t => {
  t.same(checkEndOptions({}), {})
  t.same(checkEndOptions({ batch: 5, interval: 0.5 }), { batch: 5, interval: 0.5 })
  for (const options of [
    null,
    'x',
    { batch: 5 },
    { interval: 5 },
    { batch: 0, interval: 5 },
    { batch: 5, interval: 0 },
    { bach: 5, interval: 5 },
  ])
    t.equal(
      thrown(() => checkEndOptions(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
