import t from 'tap'
import { Push } from '../../../src/protocols/redis/reply.ts'

t.test('a push is its kind and its data', async t => {
  t.match(new Push(['message', 'a', 'b']), { kind: 'message', data: ['a', 'b'] })
  t.equal(new Push([Buffer.from('message')]).kind, 'message')
})
