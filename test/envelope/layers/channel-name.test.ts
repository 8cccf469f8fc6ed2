import t from 'tap'
import {
  checkName,
  new_channel_name,
  processOf,
} from '../../../src/envelope/layers/channel-name.ts'
import { thrown } from '../../kit.ts'

t.test('names', async t => {
  const [one, other] = [new_channel_name('a'), new_channel_name('a')]
  t.match(one, /^a\.[0-9a-f]{12}![0-9a-z]+$/)
  t.not(one, other)
  t.equal(processOf(one), processOf(other))
  t.equal(processOf('a.b!c!d'), 'a.b')
})

t.test('which are valid', async t => {
  for (const name of ['a', 'a-b_c.D9', 'a!', 'a!b.c-d', 'x'.repeat(99)])
    t.equal(checkName('x', name), name)
  for (const name of ['', '!a', 'a b', 'é', 'a!b!c', 'x'.repeat(100), 5, undefined])
    t.equal(
      thrown(() => checkName('x', name)),
      'ERR_INVALID_ARGUMENT',
    )
})

t.test('a prefix that is no text', async t => {
  for (const prefix of [undefined, null, {}, Symbol('a')])
    t.throws(() => new_channel_name(prefix as never), { code: 'ERR_INVALID_ARGUMENT' })
})
