import { Buffer } from 'node:buffer'
import t from 'tap'
import { Control, Deflated, Fault } from '../../../src/protocols/websocket/incoming.ts'

t.test('what a receiver delivers besides text and bytes', async t => {
  const bytes = Buffer.from('x')
  t.match(new Control(9, bytes), { opcode: 9, payload: bytes })
  t.match(new Deflated(true, bytes), { isText: true, bytes })
  t.match(new Fault(1002, 'no'), { code: 1002, reason: 'no' })
})
