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

/** A class and those that it extends, but not Error and what is below it. */
function chain(value: Function): Function[] {
  const below = Object.getPrototypeOf(value) as Function
  return below === Function.prototype || below === Error ? [value] : [value, ...chain(below)]
}

t.test('members of public classes are in snake_case, and none is half private', async t => {
  for (const [name, value] of Object.entries(messages)) {
    if (typeof value !== 'function' || value.prototype === undefined) continue
    for (const owner of chain(value).flatMap(each => [each, each.prototype as object])) {
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
