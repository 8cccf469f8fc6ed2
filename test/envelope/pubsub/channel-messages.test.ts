import t from 'tap'
import { internal_send } from '../../../src/envelope/outside/sending.ts'
import {
  AppState,
  channel_subscribed,
  ChannelLeft,
  ChannelRecheck,
  ChannelSubscribed,
  subscribe_user,
} from '../../../src/envelope/pubsub/channel-messages.ts'
import { context_channel_registry } from '../../../src/envelope/pubsub/channel-registry.ts'
import { consumer_connected } from '../../../src/envelope/signals/message-signals.ts'
import { inside, library, ListChannel, lists, OwnChannel, Reader, Said } from './kit.ts'

library(t, 'subscribing, and what a subscriber should know', async (t, library) => {
  const { say, heard, pump, reader } = library
  channel_subscribed.connect(
    ({ app_state, context, user }) =>
      app_state.append(new Said({ text: `${user} ${context.viewers}` })),
    { sender: ListChannel, dispatch_uid: 'state' },
  )
  say('{"t":"channel.subscribe","p":{"pk":1,"channel_type":"LIST"},"i":"a"}')
  await pump()
  t.strictSame(heard.splice(0), [
    'channel.subscribed {"pk":1,"channel_type":"list","channel_name":null,"app_state":null} a q',
    'channel.subscribed {"pk":1,"channel_type":"list","channel_name":"list_1",' +
      '"app_state":[{"t":"said","p":{"text":"ann ann"}}]} a s',
  ])
  new ListChannel(1).publish(new Said({ text: 'tea' }))
  say('{"t":"channel.list_subscriptions","i":"b"}')
  await pump()
  t.strictSame(heard.splice(0).sort(), [
    'channel.subscriptions {"subscriptions":[{"pk":1,"channel_type":"list"}]} b s',
    'said {"text":"tea"} null null',
  ])
  say('{"t":"channel.leave","p":{"pk":1,"channel_type":"list"},"i":"c"}')
  await pump()
  t.strictSame(heard, ['channel.left {"pk":1,"channel_type":"list"} c s'])
  t.strictSame([...reader.subscriptions], [])
  channel_subscribed.disconnect(undefined, { sender: ListChannel, dispatch_uid: 'state' })
})

library(t, 'who may not, and what is not there', async (t, { say, heard, pump, reader }) => {
  const subscribe = (pk: unknown, channel_type: unknown, i: string) =>
    say(JSON.stringify({ t: 'channel.subscribe', p: { pk, channel_type }, i }))
  subscribe(2, 'list', 'a')
  subscribe(5, 'list', 'b')
  subscribe(5, 'list_open', 'c')
  subscribe('tea', 'list', 'd')
  await pump()
  t.strictSame(
    heard.splice(0).filter(text => !text.endsWith(' q')),
    [
      'error.subscribe {"channel_name":"list_2"} a f',
      'error.not_found {"model":"list","key":"pk","value":5} b f',
      'error.not_found {"model":"list","key":"pk","value":5} c f',
      'error.not_found {"model":"list","key":"pk","value":"tea"} d f',
    ],
  )
  const wrong: [unknown, unknown][] = [
    ['a b', 'list'],
    ['x'.repeat(61), 'list'],
    [null, 'list'],
    [1.5, 'list'],
    [1, '404'],
    [1, 5],
    [1, null],
  ]
  for (const [pk, type] of wrong) subscribe(pk, type, 'd')
  await pump()
  t.equal(heard.length, wrong.length)
  t.match(heard[4], /"loc":\["channel_type"\],"msg":"'404' is not a valid channel","type":"value_e/)
  t.strictSame([[...reader.subscriptions], reader.log], [[], []])
})

library(t, 'what a user may do has changed', async (t, { say, heard, pump, reader, layer }) => {
  for (const type of ['list', 'list_open'])
    say(`{"t":"channel.subscribe","p":{"pk":1,"channel_type":"${type}"}}`)
  lists.set(3, { pk: 3, viewers: ['ann'] })
  say('{"t":"channel.subscribe","p":{"pk":3,"channel_type":"list"}}')
  await pump()
  await layer.group_add('other', reader.channel_name)
  heard.splice(0)
  const recheck = () => {
    const { channel_name } = reader
    internal_send(new ChannelRecheck(), { channel_name, envelope: inside })
  }
  recheck()
  await pump()
  t.strictSame(heard, [], 'nothing has changed')
  lists.get(1)!.viewers.pop()
  lists.delete(3)
  recheck()
  await pump()
  t.strictSame(heard, [
    'channel.left {"pk":1,"channel_type":"list"} null null',
    'channel.left {"pk":3,"channel_type":"list"} null null',
  ])
  t.strictSame([...reader.subscriptions], ['list_open_1', 'other'])
  lists.set(1, {} as never)
  await layer.group_add('list_1', reader.channel_name)
  recheck()
  await pump()
  t.match(reader.log, [/undefined/], 'a look-up that throws takes nothing away')
  t.ok(reader.subscriptions.has('list_1'))
})

library(t, 'the channel of a user', async (t, { context, pump }) => {
  consumer_connected.connect(subscribe_user, { sender: Reader })
  const heard: string[] = []
  const peer = context.init('mem://;name=another').open()
  peer.callback_add(({ data }) => void heard.push(data.toString()), 'data')
  const connect = async (user_pk: number | null, Class = Reader) => {
    const reader = Object.assign(new Class(), { user_pk })
    await reader.connect('mem://;master=another', context).opened
    await pump()
    const names = [...reader.subscriptions]
    reader.close()
    return names
  }
  t.strictSame(await connect(7), ['user_7'])
  t.match(heard, [/^{"t":"channel.subscribed","p":{"pk":7,.*"user_7".*"s":"s"}/])
  t.strictSame(await connect(null), [])
  context_channel_registry.delete('user')
  t.strictSame(await connect(7), [])
  context_channel_registry.add(OwnChannel)
  const { outgoing } = new Reader()
  outgoing.registry.delete(ChannelSubscribed.type_name)
  t.strictSame(await connect(7), ['user_7'], 'the peer need not know the answer')
  outgoing.registry.add(ChannelSubscribed)
  t.equal(heard.length, 1)
  consumer_connected.disconnect(subscribe_user, { sender: Reader })
  peer.close()
})

/*
 * `new AppState(-1)` was a RangeError of arrays, and `subscribe_user(undefined)` a TypeError of the
 * language: neither had a code.
 */
t.test('misuse has a code', async t => {
  const Any = AppState as unknown as new (...args: unknown[]) => AppState
  for (const args of [[-1], [3], ['a', 'b']])
    t.throws(() => new Any(...args), { code: 'ERR_INVALID_ARGUMENT', message: /append\(\) adds/ })
  const state = new AppState()
  state.append(new ChannelLeft({ pk: 1, channel_type: 'user' }))
  const types = state.map(({ t }) => t)
  t.strictSame([types, types instanceof AppState], [['channel.left'], false])
  for (const given of [undefined, null, {}, { consumer: 5 }])
    await t.rejects(subscribe_user(given as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^subscribe_user: consumer must be a consumer; got /,
    })
})
