/** The options of a channel: defaults and checks. */

import t from 'tap'
import { CHANNEL_OPTIONS, channelValues } from '../../../src/rooms/client/channel-options.ts'

t.test('defaults', async t => {
  t.match(channelValues({}, []), { auto_reconnect: false, reconnect_delay: 1000, name: undefined })
  t.equal(channelValues({ max_queued: undefined as never }, []).max_queued, 1000)
  t.equal(channelValues({ reconnect_delay: 5 }, []).reconnect_delay, 5)
  t.equal(channelValues({ engine: 5 } as never, ['engine']).max_queued, 1000)
  t.ok(CHANNEL_OPTIONS.includes('auto_reconnect'))
})

t.test('what is invalid is refused', async t => {
  for (const [name, good, bad] of [
    ['protocols', [['a'], []], ['a', ['a', 5], ['']]],
    ['auto_reconnect', [true], ['yes', 1]],
    ['reconnect_delay', [0, 1], [-1, NaN, '1', null, Infinity]],
    ['connect_timeout', [0, 1, Infinity], [-1, NaN, '1', null]],
    ['max_reconnect_attempts', [0, 5, Infinity, null], [-1, 0.5, NaN, '5']],
    ['final_codes', [[], [1008]], [1008, ['1008'], [0.5]]],
    ['max_queued_bytes', [0, 5], [-1, '5', NaN]],
    ['name', ['ann'], ['', 5]],
  ] as const) {
    for (const value of good) t.match(channelValues({ [name]: value }, []), { [name]: value })
    for (const value of bad)
      t.throws(() => channelValues({ [name]: value }, []), {
        code: 'ERR_INVALID_ARGUMENT',
        message: RegExp(`^new Channel: ${name} must be `),
      })
  }
  t.throws(() => channelValues({ reconect: 1 } as never, []), {
    message: /^new Channel: options must be among protocols,.*; got "reconect"$/,
  })
})
