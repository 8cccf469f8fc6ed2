/** Pins the public names of sluice/messages, and how public classes name their members. */

import t from 'tap'
import * as messages from '../../src/messages/index.ts'

t.test('names', async t => {
  t.strictSame(Object.keys(messages).sort(), [
    'ChannelEvent',
    'Context',
    'Control',
    'Message',
    'MessageChannel',
    'Mock',
    'Params',
    'Prefix',
    'STATES',
    'Stat',
    'TimerMessage',
    'Url',
    'UrlError',
    'channel_cast',
    'format_message',
  ])
})

t.test('members of public classes are in snake_case, and none is half private', async t => {
  for (const [name, value] of Object.entries(messages)) {
    if (typeof value !== 'function' || value.prototype === undefined) continue
    for (const owner of [value, value.prototype as object]) {
      t.strictSame(
        Object.getOwnPropertyNames(owner).filter(
          member => !/^([a-z]+(_[a-z]+)*|toString)$/.test(member),
        ),
        [],
        name,
      )
    }
  }
})
