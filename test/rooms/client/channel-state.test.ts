/** The states and their numbers. */

import t from 'tap'
import { ChannelState, readyStateOf } from '../../../src/rooms/client/channel-state.ts'

t.test('the numbers are those of WebSocket', async t => {
  const { CONNECTING, OPEN, CLOSING, CLOSED } = ChannelState
  t.same([CONNECTING, OPEN, CLOSING, CLOSED].map(readyStateOf), [0, 1, 2, 3])
})
