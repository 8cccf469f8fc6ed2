/** The options of an engine: what is refused. */

import t from 'tap'
import { checkDelay, checkLimit, checkLog, checkParts } from '../src/engine-options.ts'
import { thrown } from './kit.ts'

t.test('parts', async t => {
  const network = { connect() {}, tls: { context() {} }, files: { read() {} } } as never
  checkParts({})
  checkParts({ network, clock: { now: () => 0 } as never, log: () => {} })
  for (const options of [
    null,
    5,
    { networks: 1 },
    { bufferLimit: 1e6 },
    { network: {} },
    { network: { connect() {}, tls: {} } },
    { network: { connect() {}, files: {} } },
    { clock: {} },
    { log: 'x' },
  ])
    t.equal(
      thrown(() => checkParts(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
})

t.test('the limit', async t => {
  t.same([checkLimit(0.5), checkLimit(Infinity)], [0.5, Infinity])
  for (const limit of [0, -1, NaN, '5', null])
    t.equal(
      thrown(() => checkLimit(limit)),
      'ERR_INVALID_ARGUMENT',
    )
})

t.test('a log, a delay', async t => {
  const log = (): void => {}
  t.equal(checkLog(log), log)
  checkDelay('ms', 0.5)
  for (const refused of [
    () => checkLog(console),
    () => checkDelay('ms', 0),
    () => checkDelay('ms', Infinity),
    () => checkDelay('ms', '5'),
  ])
    t.equal(thrown(refused), 'ERR_INVALID_ARGUMENT')
})
