import t from 'tap'
import {
  channelNamed,
  context_channel_registry,
  pubsub_channel_registry,
} from '../../../src/envelope/pubsub/channel-registry.ts'
import { context_channel } from '../../../src/envelope/pubsub/context-channel.ts'
import { thrown } from '../../kit.ts'
import { ListChannel, model, News, OpenChannel } from './kit.ts'

t.test('by name', async t => {
  t.ok(pubsub_channel_registry.has('online_users'))
  pubsub_channel_registry.add(News)
  t.equal(pubsub_channel_registry.get('news'), News)
  class Better extends ListChannel {}
  context_channel_registry.add(Better)
  t.equal(context_channel_registry.get('list'), Better)
  context_channel_registry.set('list', ListChannel)
  t.equal(
    thrown(() => context_channel_registry.add(context_channel('list', { model }))),
    'ERR_INVALID_STATE',
  )
  for (const wrong of [null, class {}, News])
    t.equal(
      thrown(() => context_channel_registry.add(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
})

t.test('the channel of a name', async t => {
  const named = (name: string) => {
    const channel = channelNamed(name, 'a.b!1')
    return channel && [channel.constructor, channel.pk, channel.consumer_channel]
  }
  t.strictSame(named('list_1'), [ListChannel, 1, 'a.b!1'])
  t.strictSame(named('list_open_1'), [OpenChannel, 1, 'a.b!1'])
  t.strictSame(named('list_01'), [ListChannel, '01', 'a.b!1'])
  t.strictSame(named('news'), undefined)
})
