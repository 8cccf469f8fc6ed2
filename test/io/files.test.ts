/** The files of the machine: each call makes the right object. */

import t from 'tap'
import { FileItem } from '../../src/core/writing/file-item.ts'
import { nodeFiles } from '../../src/io/files.ts'
import { thrown } from '../kit.ts'

t.test('writes, reads, loads', async t => {
  const path = `${t.testdir({ 'module.mjs': 'export const one = 1' })}/module.mjs`
  await new Promise<void>(closed => {
    nodeFiles
      .write(path, 20, {
        opened() {},
        drained() {},
        failed: error => void t.fail(String(error)),
        closed,
      })
      .close()
  })
  nodeFiles.follow?.(path).close()
  const source = nodeFiles.read(path, 7, 0)
  source.take()
  await new Promise<void>(ready => (source.on_ready = ready))
  t.equal(String(source.take()), 'const one = 1')
  source.close()
  t.match(await nodeFiles.load_module(path), { one: 1 })
  t.equal(nodeFiles.load_text(path), 'export const one = 1')
})

t.test('a file as a thing to send', async t => {
  t.equal(new FileItem(nodeFiles.read('/etc/hosts', 0, 1)).isLong, true)
  t.equal(
    thrown(() => nodeFiles.read('', 0, 1)),
    'ERR_INVALID_ARGUMENT',
  )
})
