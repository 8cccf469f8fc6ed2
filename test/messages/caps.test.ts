import t from 'tap'
import { DIRECTIONS, NO_DCAPS, OF_AN_OPENING } from '../../src/messages/caps.ts'

t.test('closing does not take away the dcaps of a suspension', async t => {
  t.notOk(OF_AN_OPENING.some(each => each.startsWith('suspend')))
  t.same(
    [DIRECTIONS.r, DIRECTIONS.w, DIRECTIONS.rw, NO_DCAPS],
    [['in'], ['out'], ['in', 'out'], []],
  )
})
