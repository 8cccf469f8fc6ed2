import t from 'tap'
import { tokenOf } from '../../../src/relay/nats/names.ts'

t.test('a plain word stands as it is, all else as its digest', async t => {
  for (const plain of ['a', 'chat', 'Room_17-b', 'x'.repeat(64)]) t.equal(tokenOf(plain), plain)
  const hard = ['', 'a.b', '*', '>', 'a b', '=a', 'é', 'x'.repeat(65), 'x'.repeat(1024)]
  const tokens = hard.map(tokenOf)
  for (const token of tokens) t.match(token, /^=[\w-]{43}$/)
  t.equal(new Set(tokens).size, hard.length)
})
