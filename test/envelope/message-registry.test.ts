import t from 'tap'
import { MessageRegistry } from '../../src/envelope/message-registry.ts'
import { message } from '../../src/envelope/runnable.ts'
import { thrown } from '../kit.ts'
import { fault } from '../messages/kit.ts'

class Move extends message('game.move') {}

t.test('classes by their types', async t => {
  const registry = new MessageRegistry('in').add(Move).add(Move)
  t.equal(registry.get('game.move'), Move)
  t.equal(registry.find('game.move'), Move)
  t.equal(
    fault(() => registry.find('game.mvoe')),
    'in: there is no message "game.mvoe"; did you mean game.move?',
  )
})

t.test('a subclass takes the place of its class, another class does not', async t => {
  class Own extends Move {}
  class Other extends message('game.move') {}
  const registry = new MessageRegistry('in').add(Move, Own)
  t.equal(registry.get('game.move'), Own)
  t.equal(
    thrown(() => registry.add(Other)),
    'ERR_INVALID_STATE',
  )
  for (const wrong of [undefined, {}, class {}, { type_name: 'a' }])
    t.equal(
      thrown(() => registry.add(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
})
