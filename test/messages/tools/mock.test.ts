/** This is also an example of how a program tests its own channel. */

import t from 'tap'
import { Context } from '../../../src/messages/context.ts'
import type { Init } from '../../../src/messages/init.ts'
import type { Message } from '../../../src/messages/message.ts'
import { MessageChannel } from '../../../src/messages/message-channel.ts'
import { Mock } from '../../../src/messages/tools/mock.ts'
import { thrown } from '../../kit.ts'

/** Passes on messages from `input` to `output`, in upper case. */
class Shout extends MessageChannel {
  static override readonly protocol = 'shout'
  readonly #output: MessageChannel
  constructor(init: Init) {
    super(init)
    const { context, params } = init
    this.#output = context.get(params.text('output')) as MessageChannel
    const input = context.get(params.text('input')) as MessageChannel
    input.callback_add(
      (message: Message) => void this.#output.post(message.data.toString().toUpperCase()),
      'data',
    )
  }
}

function mock(): Mock {
  const context = new Context()
  context.register(Shout)
  return new Mock({
    mock: { in: 'direct://', out: 'direct://', log: 'null://' },
    channel: 'shout://;input=in;output=out',
    context,
  })
}

t.test('a channel between its mocks', async t => {
  const kit = mock()
  kit.open(['log'])
  t.strictSame(
    [kit.channel.state, kit.inner('in').state, kit.inner('log').state],
    ['active', 'active', 'closed'],
  )
  kit.io('in').post('hello')
  t.strictSame(
    kit.received('out').map(({ data }) => String(data)),
    ['HELLO'],
  )
  t.equal(
    thrown(() => kit.io('log')),
    'ERR_INVALID_ARGUMENT',
    'a null:// channel has no other end',
  )
  t.equal(
    thrown(() => kit.received('nobody')),
    'ERR_INVALID_ARGUMENT',
  )
  kit.destroy()
  t.equal(kit.context.channels.size, 0)
})

t.test('options that do not exist, or are of the wrong kind', async t => {
  const options = { mock: {}, channel: 'null://' }
  for (const wrong of [
    { ...options, contxt: 5 },
    { ...options, context: {} },
    { channel: 'null://' },
  ])
    t.equal(
      thrown(() => new Mock(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
})

t.test('a context of its own', async t => {
  const kit = new Mock({ mock: { log: 'null://' }, channel: 'null://' })
  kit.open()
  t.equal(kit.inner('log').state, 'active')
  kit.destroy()
})
