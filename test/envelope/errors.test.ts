import t from 'tap'
import { ValidationError } from '../../src/envelope/errors.ts'

t.test('a ValidationError says what is wrong, in short', async t => {
  const fault = (name: string) => ({ loc: [name], msg: 'field required', type: 'a' })
  const one = new ValidationError('game.move', [fault('x')])
  t.strictSame([one.code, one.message], ['ERR_VALIDATION', 'game.move: x: field required'])
  // It was 'game.move: : value is …'.
  const whole = new ValidationError('game.move', [{ loc: [], msg: 'field required', type: 'a' }])
  t.equal(whole.message, 'game.move: field required')
  const many = new ValidationError('game.move', ['a', 'b', 'c', 'd', 'e'].map(fault))
  t.match(many.message, /c: field required \(and 2 more\)$/)
  t.equal(many.errors.length, 5)
})
