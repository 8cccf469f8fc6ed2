import t from 'tap'
import {
  context_channel,
  ContextChannel,
  UserChannel,
} from '../../../src/envelope/pubsub/context-channel.ts'
import { fate, thrown } from '../../kit.ts'
import { ListChannel, lists, model, OpenChannel, outgoing } from './kit.ts'

t.test('who may subscribe', async t => {
  lists.set(1, { pk: 1, viewers: ['ann'] })
  const list = new ListChannel(1)
  const allows = (
    channel: ContextChannel<any, any>,
    user: unknown,
    user_pk: number | null = null,
  ) => channel.allow_subscribe({ user, user_pk })
  t.equal(list.channel_name, 'list_1')
  t.strictSame(await list.context, lists.get(1))
  t.strictSame(
    [await allows(list, 'ann'), await allows(list, 'bob'), await allows(list, null)],
    [true, false, false],
  )
  t.equal(await fate(allows(new ListChannel(5), 'ann')), 'rejected ERR_NOT_FOUND')
  t.equal(await allows(new OpenChannel(5), undefined), true, 'everybody may')
  for (const channel of [list, new UserChannel('undefined')])
    for (const nobody of [undefined, {}] as never[])
      t.equal(await channel.allow_subscribe(nobody), false, 'nobody may')
  class Bare extends ContextChannel {
    static override readonly type_name: string = 'bare'
    static override readonly permission: string | null = 'view'
  }
  t.strictSame([await allows(new Bare(1), 'ann'), await new Bare(1).context], [false, undefined])
  t.strictSame(
    [
      await allows(new UserChannel(7), 'ann', 7),
      await allows(new UserChannel('7'), 'ann', 7),
      await allows(new UserChannel(8), 'ann', 7),
      await allows(new UserChannel(8), 'ann'),
    ],
    [true, true, false, false],
  )
})

t.test('of an object', async t => {
  class Own extends context_channel('own', { model, permission: 'view', envelope: outgoing }) {}
  t.strictSame(
    [Own.permission, Own.model, new Own(1).envelope, new Own('a').channel_name],
    ['view', model, outgoing, 'own_a'],
  )
  t.equal(context_channel('plain', { model }).permission, null)
  t.equal(ListChannel.from_instance({ pk: 5 }, 'a.b!1').channel_name, 'list_5')
  t.equal(UserChannel.from_instance({ pk: 'ann' }).channel_name, 'user_ann')
  for (const call of [
    () => ListChannel.from_instance({ id: 5 }),
    () => ListChannel.from_instance(undefined as never),
    // They were the channels list_undefined, list_true and list_1.5.
    () => new ListChannel(undefined as never),
    () => new ListChannel(true as never),
    () => new ListChannel(1.5),
    () => new ListChannel('a b'),
    () => new ListChannel('x'.repeat(100)),
    () => context_channel('List', { model }),
    () => context_channel('other', {} as never),
  ])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
})
