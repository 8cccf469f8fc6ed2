import t from 'tap'
import { UpdateIds } from '../../../src/packets/supervisor/update-ids.ts'

t.test('each id once, and the oldest are forgotten', async t => {
  const ids = new UpdateIds()
  t.strictSame([ids.add('a'), ids.add('a'), ids.add('b')], [true, false, true])
  for (let n = 0; n < 1000; n++) ids.add(`${n}`)
  t.strictSame([ids.add('999'), ids.add('a')], [false, true])
})
