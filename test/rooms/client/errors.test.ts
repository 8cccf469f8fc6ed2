/** The errors of a channel: their classes, and what they say. */

import t from 'tap'
import { ChannelError } from '../../../src/errors.ts'
import {
  ChannelConnectionError,
  ChannelMessageError,
  Faults,
} from '../../../src/rooms/client/errors.ts'

t.test('each names the URL, the state and what to do', async t => {
  const faults = new Faults('ws://a', () => 'closed')
  const cause = new Error('cause')
  const lost = faults.connection('ERR_X', 'lost', 'wait', cause)
  t.ok(lost instanceof ChannelConnectionError && lost instanceof ChannelError)
  t.match(lost, { code: 'ERR_X', message: 'ws://a (closed): lost; wait', cause })
  const unsent = faults.message('ERR_Y', 'not sent', 'send less', { room: 'r', unsent: 'x', cause })
  t.ok(unsent instanceof ChannelMessageError && unsent instanceof ChannelError)
  t.match(unsent, { code: 'ERR_Y', room: 'r', unsent: 'x', cause, name: 'ChannelMessageError' })
  t.match(faults.notOpen(false, true, {}).message, /not initialized; call connect\(\) first$/)
  t.match(faults.notOpen(true, true, {}).message, /open; call connect\(\) first$/)
  t.match(faults.notOpen(true, false, {}).message, /first, or set auto_reconnect$/)
  t.match(faults.unsent('ERR_X', 'why', {}), { code: 'ERR_X', message: /: why; it was not sent$/ })
  t.match(faults.expired(5, 'r', 'x'), { code: 'ERR_EXPIRED', unsent: 'x', room: 'r' })
  t.match(faults.refused('r', 'full'), { code: 'ERR_REFUSED', room: 'r', message: /"full"/ })
  t.match(faults.dropped({ reason: 'why' }), { code: 'ERR_DROPPED', room: undefined })
  t.equal(new ChannelMessageError('ERR_Z', 'z').room, undefined)
})
