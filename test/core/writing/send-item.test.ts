import { Buffer } from 'node:buffer'
import t from 'tap'
import { BytesItem, type SendItem, TextItem } from '../../../src/core/writing/send-item.ts'
import type { Transport } from '../../../src/transport.ts'

t.test('bytes and text go out whole, and keep nothing that must be freed', async t => {
  const given: unknown[] = []
  const transport = { write: (...what: unknown[]) => given.push(what) } as unknown as Transport
  const bytes = Buffer.from('abc')
  const items: SendItem[] = [new BytesItem(bytes), new TextItem('gñ', 'utf8', 3)]
  t.same(
    items.map(item => [item.size, item.isLong]),
    [
      [3, false],
      [3, false],
    ],
  )
  t.same(
    items.map(item => item.send(transport, () => {})),
    ['sent', 'sent'],
  )
  t.same(given, [
    [bytes, 'utf8'],
    ['gñ', 'utf8'],
  ])
  t.equal((given[0] as unknown[])[0], bytes, 'itself, not a copy')
  for (const item of items) item.drop()
})
