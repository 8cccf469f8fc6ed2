import t from 'tap'
import {
  checkProtocols,
  SERVER_SIDE_CHECKS,
  WEBSOCKET_CHECKS,
  WEBSOCKET_DEFAULTS,
} from '../../../src/protocols/websocket/websocket-settings.ts'
import { thrown } from '../../kit.ts'

t.test('defaults are valid, other values are checked', async t => {
  const { message_size, ping_interval, pong_timeout } = WEBSOCKET_CHECKS
  t.equal(message_size('a', WEBSOCKET_DEFAULTS.message_size), 1024 * 1024)
  t.equal(ping_interval('a', WEBSOCKET_DEFAULTS.ping_interval), Infinity)
  t.equal(pong_timeout('a', WEBSOCKET_DEFAULTS.pong_timeout), 20_000)
  t.equal(SERVER_SIDE_CHECKS.origins('a', WEBSOCKET_DEFAULTS.origins), 'same')
  t.same(SERVER_SIDE_CHECKS.protocols('a', ['x', 'y']), ['x', 'y'])
  t.equal(
    thrown(() => message_size('a', 0)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => ping_interval('a', 0)),
    'ERR_INVALID_ARGUMENT',
  )
  for (const value of ['x', ['x', 'x'], ['a b'], [''], [1], null])
    t.equal(
      thrown(() => checkProtocols('a', value)),
      'ERR_INVALID_ARGUMENT',
    )
})
