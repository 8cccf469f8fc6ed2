/** What happens at once when a setting is assigned. */

import t from 'tap'
import { LIFE } from '../../../src/channels/life.ts'
import {
  checkCanKeepAlive,
  EFFECTS,
  type EffectsOwner,
} from '../../../src/channels/streams/setting-effects.ts'
import {
  STREAM_DEFAULTS,
  type StreamValues,
} from '../../../src/channels/streams/stream-settings.ts'
import { DRIVE, Engine } from '../../../src/engine.ts'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import type { Network } from '../../../src/transport.ts'
import { Bare } from '../bare.ts'
import { FakeTransport } from '../link-kit.ts'

function setUp(values: Partial<StreamValues>, transport?: FakeTransport) {
  const clock = new ManualClock()
  const engine = new Engine({ clock })
  const log: string[] = []
  const owner: EffectsOwner = {
    life: new Bare({ engine })[LIFE],
    values: { ...STREAM_DEFAULTS, ...values },
    transport,
    reading: {
      cutAnew: () => log.push('cut anew'),
      release: why => log.push(`release ${why}`),
    },
    watchAnew: () => log.push('watch anew'),
  }
  const assign = (name: keyof StreamValues): string[] => {
    EFFECTS[name]?.(owner)
    return log.splice(0)
  }
  return { assign, log, clock, drive: engine[DRIVE] }
}

t.test('how bytes are cut, and what is watched over', async t => {
  const { assign } = setUp({})
  for (const name of ['encoding', 'regex_search', 'overflow', 'buffer_size'] as const)
    t.same(assign(name), ['cut anew'], name)
  for (const name of ['read_timeout', 'write_timeout', 'idle_timeout', 'max_lifetime'] as const)
    t.same(assign(name), ['watch anew'], name)
  for (const name of ['tls', 'send_high_water', 'end_timeout'] as const)
    t.same(assign(name), [], name)
})

t.test('backpressure: turned off, reads go on in the next turn', async t => {
  for (const backpressure of [true, false]) {
    const { assign, log, clock } = setUp({ backpressure })
    t.same(assign('backpressure'), [], 'no hook runs inside an assignment')
    clock.advance(0)
    t.same(log, backpressure ? [] : ['release backpressure'])
  }
})

t.test('settings of the socket, if there is one', async t => {
  const transport = new FakeTransport()
  const values = { no_delay: false, keep_alive: 5 }
  for (const { assign } of [setUp(values, transport), setUp(values)])
    t.same([assign('no_delay'), assign('keep_alive')], [[], []])
  t.equal(transport.news, 'no_delay false, keep_alive 5')
})

t.test('how often a silent peer is probed', async t => {
  const transport = new FakeTransport()
  const { assign } = setUp({ keep_alive: { after: 5, interval: 6, count: 7 } }, transport)
  assign('keep_alive')
  t.equal(transport.news, 'keep_alive 5, every 6, 7 times')
  const [can, cannot] = [true, false].map(each => ({ has_keep_alive_probes: each }) as Network)
  for (const value of [5, false, { after: 5 }] as const) checkCanKeepAlive(cannot!, value)
  for (const value of [
    { after: 5, interval: 6 },
    { after: 5, count: 7 },
  ]) {
    checkCanKeepAlive(can!, value)
    checkCanKeepAlive({} as Network, value)
    t.throws(() => checkCanKeepAlive(cannot!, value), { code: 'ERR_UNSUPPORTED_OPTION' })
  }
})
