import t from 'tap'
import { DIRECTIONS, NO_DCAPS, OF_AN_OPENING } from '../../src/messages/caps.ts'

t.test('a suspension is not among what closing takes away', async t => {
  t.notOk(OF_AN_OPENING.some(each => each.startsWith('suspend')))
  t.same(
    [DIRECTIONS.r, DIRECTIONS.w, DIRECTIONS.rw, NO_DCAPS],
    [['in'], ['out'], ['in', 'out'], []],
  )
})
