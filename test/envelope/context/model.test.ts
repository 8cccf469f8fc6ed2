import t from 'tap'
import { NotFoundError, UnauthorizedError } from '../../../src/envelope/builtin/common-errors.ts'
import { Model } from '../../../src/envelope/context/model.ts'
import { fate, thrown } from '../../kit.ts'

interface List {
  readonly owner: string
}

const lists = new Model<List>({
  name: 'list',
  find: (pk: number) => (pk === 1 ? { owner: 'ann' } : pk === 2 ? null : undefined),
  has_perm: (user: string, permission, list) => permission === 'change' && list.owner === user,
})

t.test('an object that is not there', async t => {
  t.strictSame(await lists.get(1), { owner: 'ann' })
  for (const pk of [2, 3, 'x', null]) t.equal(await fate(lists.get(pk)), 'rejected ERR_NOT_FOUND')
  const error = await lists.get(3, { id: 'a' }).catch((error: unknown) => error as NotFoundError)
  t.strictSame(
    [error instanceof NotFoundError && error.data, (error as NotFoundError).mm.id],
    [{ model: 'list', key: 'pk', value: 3 }, 'a'],
  )
})

t.test('what a user may do with it', async t => {
  const list = { owner: 'ann' }
  t.equal(await lists.allows('ann', 'change', list), true)
  t.equal(await lists.allows('bob', 'change', list), false)
  t.equal(await lists.allows('bob', null, list), true)
  for (const nobody of [null, undefined]) t.equal(await lists.allows(nobody, null, list), false)
  const later = new Model<List>({
    name: 'list',
    key: 'name',
    find: async () => list,
    has_perm: async () => 1 as never,
  })
  const wish = { user: 'ann', permission: 'change', pk: 1, mm: { id: 'b' } }
  t.equal(await lists.require({ ...wish }).then(({ owner }) => owner), 'ann')
  const error = await later.require(wish).catch((error: unknown) => error as UnauthorizedError)
  t.strictSame(
    [(error as UnauthorizedError).data, (error as UnauthorizedError).mm.id],
    [{ model: 'list', key: 'name', value: 1, permission: 'change' }, 'b'],
  )
  t.equal(
    await fate(lists.require({ user: null, permission: null, pk: 1 })),
    'rejected ERR_UNAUTHORIZED',
  )
  t.equal(await fate(new Model<List>({ name: 'a', find: () => list }).require(wish)), list)
})

t.test('misuse', async t => {
  for (const options of [
    { name: '', find: () => null },
    { name: 'a' },
    { name: 'a', find: () => null, has_perm: 5 },
    { name: 'a', find: () => null, finds: 5 },
  ])
    t.equal(
      thrown(() => new Model(options as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
