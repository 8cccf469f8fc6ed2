/** The limit of descriptors, as Linux reports it. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { fileLimit } from '../../src/io/file-limit.ts'

t.test('the soft limit of this process, or of a file like that of the system', async t => {
  t.ok(fileLimit() >= 1)
  const path = join(t.testdir({}), 'limits')
  await writeFile(
    path,
    'Limit                     Soft Limit           Hard Limit           Units\n' +
      'Max open files            256                  4096                 files\n',
  )
  t.equal(fileLimit(path), 256)
  await writeFile(
    path,
    'Max open files            unlimited            unlimited            files\n',
  )
  t.equal(fileLimit(path), Infinity)
  t.equal(fileLimit('/nowhere'), Infinity)
})
