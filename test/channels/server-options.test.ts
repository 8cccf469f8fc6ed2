/** The options of listen and of end: what is refused. */

import t from 'tap'
import { checkEndOptions, checkListenOptions } from '../../src/channels/server-options.ts'
import { thrown } from '../kit.ts'

t.test('of listen', async t => {
  checkListenOptions({})
  checkListenOptions({ reuse_port: true })
  for (const options of [null, 5, { reuse_port: 1 }, { backlog: 5 }])
    t.equal(
      thrown(() => checkListenOptions(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
  t.throws(() => checkListenOptions({ backlog: 5 } as never), {
    message: 'listen option "backlog" must be reuse_port; got 5',
  })
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
  ])
    t.equal(
      thrown(() => checkEndOptions(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
