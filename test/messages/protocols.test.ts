import t from 'tap'
import { PROTOCOLS } from '../../src/messages/protocols.ts'

t.test('each has a name of its own', async t => {
  t.equal(new Set(PROTOCOLS.map(each => each.protocol)).size, PROTOCOLS.length)
})
