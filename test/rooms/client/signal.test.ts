/** A value that changes, and its subscribers. */

import t from 'tap'
import { createSignal } from '../../../src/rooms/client/signal.ts'
import { turn } from '../../kit.ts'

t.test('values and subscribers', async t => {
  const errors: unknown[] = []
  const [signal, set] = createSignal(1, error => errors.push(error))
  const told: string[] = []
  const cancel = signal.subscribe(value => told.push(`one ${value}`))
  signal.subscribe(value => told.push(`other ${value}`))
  set(1)
  set(2)
  t.equal(signal(), 2)
  t.same(told, [], 'not at once')
  set(3)
  await turn()
  t.same(told.splice(0), ['one 2', 'other 2', 'one 3', 'other 3'], 'each change, in order')
  set(4)
  cancel()
  cancel()
  await turn()
  t.same(told, ['other 4'], 'a subscription that has ended is over at once')
  t.same(errors, [])
})

t.test('errors of subscribers', async t => {
  const errors: unknown[] = []
  const [signal, set] = createSignal('a', error => errors.push(error))
  signal.subscribe(() => {
    throw 'thrown'
  })
  signal.subscribe(async () => {
    throw 'rejected'
  })
  const twice = (): number => errors.push('called')
  signal.subscribe(twice)
  signal.subscribe(twice)
  set('b')
  await turn()
  t.same(errors.sort(), ['called', 'called', 'rejected', 'thrown'])
})

t.test('what is no function does not subscribe', async t => {
  const [signal] = createSignal(1, () => {})
  t.throws(() => signal.subscribe(5 as never), { code: 'ERR_INVALID_ARGUMENT' })
})
