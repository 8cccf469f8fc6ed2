import t from 'tap'
import { ChannelPort, PeerPort } from '../../../src/envelope/consumers/port.ts'
import { Control } from '../../../src/messages/message.ts'
import { MESSAGE_LIFE } from '../../../src/messages/message-life.ts'

/** A channel that writes down what is posted. */
function channel() {
  const posted: unknown[] = []
  return {
    posted,
    state: 'active',
    // It has no way for texts.
    [MESSAGE_LIFE]: { outlet: { isWatched: false } },
    post(message: { data?: string }) {
      posted.push(message)
      return true
    },
    close() {
      posted.push('close')
    },
  }
}

t.test('the peer of a channel that has only one', async t => {
  const one = channel()
  const port = new ChannelPort(one as never)
  t.equal(port.post('a'), true)
  port.close()
  t.strictSame([one.posted, port.canWait], [[{ data: 'a', addr: undefined }, 'close'], true])
})

t.test('a peer of a server', async t => {
  const server = channel()
  const port = new PeerPort(server as never, 3)
  port.post('a')
  port.close(1008)
  server.state = 'closing'
  port.close(1000)
  t.strictSame(server.posted, [
    { data: 'a', addr: 3 },
    { type: 'control', msgid: Control.Disconnect, addr: 3, seq: 1008n },
  ])
  t.equal(port.canWait, false)
})
