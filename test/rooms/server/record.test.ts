import t from 'tap'
import { packRecord, unpackRecord } from '../../../src/rooms/server/record.ts'

t.test('there and back', async t => {
  for (const isVolatile of [true, false]) {
    const record = { id: 'a-1', from: 'a\n2', client: 'ö', isVolatile, text: '{"x":"\\n"}' }
    t.same(unpackRecord(Buffer.from(packRecord(record))), record)
  }
})

t.test('what is no record', async t => {
  for (const text of ['', 'x', '{}\n', '[1]\n', '["a",1]\n', '["a","b"]\n', '[\n', 'null\nx'])
    t.equal(unpackRecord(Buffer.from(text)), undefined, text)
})
