import t from 'tap'
import { ChannelPort, Outbox, PeerPort } from '../../../src/envelope/consumers/port.ts'
import { Control } from '../../../src/messages/message.ts'
import { MESSAGE_LIFE } from '../../../src/messages/message-life.ts'
import { thrown } from '../../kit.ts'

/** A channel that writes down what is posted, and that may be full. */
function channel() {
  const posted: unknown[] = []
  return {
    posted,
    state: 'active',
    isFull: false,
    // It has no way for texts.
    [MESSAGE_LIFE]: { outlet: { isWatched: false } },
    post(message: { data?: string }) {
      if (this.isFull) return false
      posted.push(message)
      return true
    },
    close() {
      posted.push('close')
    },
  }
}

const texts = (posted: unknown[]): unknown[] => posted.map(each => (each as { data?: string }).data)

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

t.test('what has no room waits, in its order, up to a bound', async t => {
  const one = channel()
  const outbox = new Outbox(new ChannelPort(one as never), { queue_limit: 2 })
  outbox.send('a')
  one.isFull = true
  outbox.send('b')
  outbox.send('c')
  t.equal(
    thrown(() => outbox.send('d')),
    'ERR_OVERFLOW',
  )
  outbox.flush()
  one.isFull = false
  t.strictSame(texts(one.posted), ['a'])
  outbox.flush()
  outbox.send('e')
  t.strictSame(texts(one.posted), ['a', 'b', 'c', 'e'])
})
