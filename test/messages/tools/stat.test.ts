import t from 'tap'
import { Message } from '../../../src/messages/message.ts'
import { countReceived, countSent, Stat } from '../../../src/messages/tools/stat.ts'

t.test('only data is counted', async t => {
  const stat = new Stat()
  countReceived(stat, new Message({ data: 'abc' }))
  countReceived(stat, new Message({ type: 'control', data: 'abc' }))
  countSent(stat, new Message({ data: 'x' }))
  countSent(stat, new Message())
  countSent(stat, new Message({ type: 'control', data: 'abc' }))
  t.strictSame(stat.swap(), { rx: 1, rxb: 3, tx: 2, txb: 1 })
  t.strictSame(stat.swap(), { rx: 0, rxb: 0, tx: 0, txb: 0 })
})
