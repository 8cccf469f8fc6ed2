import t from 'tap'
import { type Deferred, deferred } from '../../../src/core/deferred.ts'
import { Held } from '../../../src/protocols/redis/held.ts'
import { Push } from '../../../src/protocols/redis/reply.ts'

t.test('one after the other; replies come through', async t => {
  const told: string[] = []
  let hook: Deferred<void> | undefined
  let isAwaited = false
  const held = new Held(
    ({ kind }) => {
      told.push(kind)
      return hook?.promise
    },
    () => isAwaited,
  )
  const push = (kind: string): Promise<void> | undefined => held.pushed(new Push([kind]))
  t.equal(push('a'), undefined)
  const first = (hook = deferred<void>())
  const hold = push('b')
  held.release()
  await hold
  isAwaited = true
  t.equal(push('c'), undefined)
  t.strictSame(told, ['a', 'b'])
  hook = undefined
  first.resolve()
  await first.promise
  await undefined
  t.strictSame(told, ['a', 'b', 'c'])
  isAwaited = false
  const second = (hook = deferred<void>())
  const other = push('d')
  void push('e')
  held.clear()
  second.resolve()
  await other
  t.strictSame(told, ['a', 'b', 'c', 'd'])
})
