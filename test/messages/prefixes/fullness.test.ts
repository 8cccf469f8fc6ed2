import t from 'tap'
import { Control } from '../../../src/messages/message.ts'
import { Fullness } from '../../../src/messages/prefixes/fullness.ts'

t.test('told with the first reason, and when none is left', async t => {
  const log: string[] = []
  const full = new Fullness<'a' | 'b'>(
    msgid => void log.push(msgid === Control.WriteFull ? 'full' : 'ready'),
  )
  t.equal(full.isFull, false)
  full.add('a')
  full.add('a')
  full.add('b')
  t.strictSame([log.splice(0), full.isFull, full.has('b')], [['full'], true, true])
  full.delete('a')
  full.delete('a')
  t.strictSame(log, [])
  full.delete('b')
  t.strictSame(log.splice(0), ['ready'])
  full.delete('b')
  full.add('a')
  full.clear()
  t.strictSame([log, full.isFull], [['full'], false], 'forgotten in silence')
})
