import t from 'tap'
import { type Act, context_action } from '../../../src/envelope/context/context-action.ts'
import { Model } from '../../../src/envelope/context/model.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import { integer, text } from '../../../src/envelope/schema/scalars.ts'
import { shape } from '../../../src/envelope/schema/shape.ts'
import { fate, thrown } from '../../kit.ts'
import { game, Player, to_client } from '../consumers/kit.ts'

interface List {
  name: string
  readonly owner: string
}

const lists = new Map<number, List>()
const model = new Model<List>({
  name: 'list',
  find: (pk: number) => lists.get(pk),
  has_perm: (user: string, _permission, list) => list.owner === user,
})
const payload = shape({ pk: integer, name: text })

class Rename extends context_action('list.rename', payload, { model, permission: 'change' }) {
  override act({ consumer, context }: Act<List, Owner>) {
    context.name = this.data.name
    consumer.reply(this, 'game.moved', { by: context.name, x: this.data.pk })
  }
}
class Look extends context_action('list.look', shape({ list: integer }), {
  model,
  context_schema_attr: 'list',
}) {}

const incoming = new Envelope({ name: 'lists', messages: [Rename, Look] })

class Owner extends Player {
  override readonly incoming = incoming as never
}

game(
  t,
  'the object is there, and the user may',
  async (t, { player, say, heard, pump }) => {
    lists.set(1, { name: 'a', owner: 'ann' })
    player.user = 'ann'
    say('{"t":"list.rename","p":{"pk":1,"name":"b"},"i":"1"}')
    say('{"t":"list.rename","p":{"pk":2,"name":"b"},"i":"2"}')
    await pump()
    player.user = 'bob'
    say('{"t":"list.rename","p":{"pk":1,"name":"c"},"i":"3"}')
    say('{"t":"list.look","p":{"list":1},"i":"4"}')
    say('{"t":"list.look","p":{"list":5},"i":"5"}')
    await pump()
    t.strictSame(heard, [
      '{"t":"game.moved","p":{"by":"b","x":1},"i":"1","s":"s"}',
      '{"t":"error.not_found","p":{"model":"list","key":"pk","value":2},"i":"2","s":"f"}',
      '{"t":"error.unauthorized","p":{"model":"list","key":"pk","value":1,"permission":"change"},' +
        '"i":"3","s":"f"}',
      '{"t":"error.not_found","p":{"model":"list","key":"pk","value":5},"i":"5","s":"f"}',
    ])
    t.strictSame([player.log, lists.get(1)?.name], [[], 'b'])
  },
  new Owner(),
)

t.test('by hand', async t => {
  lists.set(1, { name: 'a', owner: 'ann' })
  const rename = new Rename({ pk: 1, name: 'b' })
  t.equal(await rename.allowed(), false, 'nobody')
  rename.user = 'ann'
  t.equal(await rename.allowed(), true)
  t.equal((await rename.context).name, 'a')
  t.equal((await rename.assert_perm()).name, 'a')
  t.equal(await fate(new Rename({ pk: 9, name: 'b' }).allowed()), 'rejected ERR_NOT_FOUND')
  t.equal(new Look({ list: 4 }).pk, 4)
  t.equal(to_client.registry.has('list.rename'), false)
  for (const options of [{ model: 5 }, { model, kind: 5 }])
    t.equal(
      thrown(() => context_action('a', payload, options as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
