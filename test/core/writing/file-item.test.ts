/** A file in the write queue. */

import { Buffer } from 'node:buffer'
import { join } from 'node:path'
import t from 'tap'
import { FileItem } from '../../../src/core/writing/file-item.ts'
import { NodeFileSource } from '../../../src/io/file-source.ts'
import type { Transport } from '../../../src/transport.ts'

function fileItem(file: string, nbytes: number, offset: number): FileItem {
  return new FileItem(new NodeFileSource(file, offset, nbytes))
}

/** Keeps what is written, and that it was written as it is. */
function keeper() {
  const chunks: Buffer[] = []
  const transport = {
    write: (chunk: Buffer) => (chunks.push(Buffer.from(chunk)), true),
    bytes_queued: 0,
  }
  return {
    transport: transport as unknown as Transport & { bytes_queued: number },
    text: () => Buffer.concat(chunks).toString(),
    chunks,
  }
}

t.test('is sent piece by piece', async t => {
  const text = '0123456789'.repeat(80_000)
  const path = join(t.testdir({ file: text }), 'file')
  const item = fileItem(path, 0, 0)
  t.same([item.size, item.isLong], [0, true])
  const { transport, chunks, text: written } = keeper()
  let wakes = 0
  for (let outcome = 'more'; outcome !== 'sent';) {
    await new Promise<void>(resolve => {
      outcome = item.send(transport, () => {
        wakes++
        resolve()
      })
      if (outcome !== 'starved') resolve()
    })
  }
  t.equal(written(), text)
  t.ok(chunks.length > 1 && wakes > 0)
  item.drop()
})

// Each chunk had new memory: on Node 26 the collector was busy with it for a third of the time.
t.test('a chunk is given back when it has gone', async t => {
  const chunks = [Buffer.from('one'), Buffer.from('two')]
  const back: Buffer[] = []
  const source = {
    on_ready() {},
    take: () => chunks.shift() ?? ('end' as const),
    give_back: (chunk: Buffer) => void back.push(chunk),
    close() {},
  }
  const item = new FileItem(source)
  const { transport } = keeper()
  const wake = () => {}
  transport.bytes_queued = 3
  t.equal(item.send(transport, wake), 'more')
  t.equal(item.send(transport, wake), 'more')
  t.same(back, [], 'the first one may still be on its way')
  transport.bytes_queued = 0
  t.equal(item.send(transport, wake), 'sent')
  t.same(back.map(String), ['two'])
})

t.test('over a transport that keeps data, no chunk is given back', async t => {
  const chunks = [Buffer.from('one')]
  const source = {
    on_ready() {},
    take: () => chunks.shift() ?? ('end' as const),
    give_back: () => t.fail('somebody may still look at it'),
    close() {},
  }
  const item = new FileItem(source)
  const transport = { ...keeper().transport, keeps_data: true }
  t.equal(
    item.send(transport, () => {}),
    'more',
  )
  t.equal(
    item.send(transport, () => {}),
    'sent',
  )
})

t.test('a part of it', async t => {
  const path = join(t.testdir({ file: '0123456789' }), 'file')
  const item = fileItem(path, 3, 4)
  const { transport, text } = keeper()
  await new Promise<void>(resolve => t.equal(item.send(transport, resolve), 'starved'))
  t.equal(
    item.send(transport, () => {}),
    'more',
  )
  t.equal(
    item.send(transport, () => {}),
    'sent',
  )
  t.equal(text(), '456')
})

t.test('what goes wrong is thrown when it is its turn', async t => {
  const item = fileItem(join(t.testdir(), 'none'), 0, 0)
  const { transport } = keeper()
  await new Promise<void>(resolve => item.send(transport, resolve))
  t.throws(() => item.send(transport, () => {}), { code: 'ENOENT' })
  item.drop()
  t.throws(() => item.send(transport, () => {}), { code: 'ERR_INVALID_STATE' })
  t.throws(() => fileItem('', 0, 0), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => fileItem('x', -1, 0), { code: 'ERR_INVALID_ARGUMENT', message: /nbytes/ })
  t.throws(() => fileItem('x', 0, -1), { code: 'ERR_INVALID_ARGUMENT', message: /offset/ })
})

t.test('dropped while it waits, it does not wake anybody', async t => {
  const path = join(t.testdir({ file: 'text' }), 'file')
  const item = fileItem(path, 0, 0)
  item.send(keeper().transport, () => t.fail('woken'))
  item.drop()
  const other = fileItem(path, 0, 0)
  await new Promise<void>(resolve => other.send(keeper().transport, resolve))
  other.drop()
})
