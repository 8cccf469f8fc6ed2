import { join, relative } from 'node:path'
import t from 'tap'
import { loadModule, loadText } from '../../src/io/load.ts'

t.test('paths, from the current directory on, and names', async t => {
  const folder = t.testdir({ 'one.mjs': 'export const one = 1' })
  t.match(await loadModule(join(folder, 'one.mjs')), { one: 1 })
  t.match(await loadModule(`./${relative(process.cwd(), join(folder, 'one.mjs'))}`), { one: 1 })
  t.match(await loadModule('node:path'), { join })
  await t.rejects(loadModule('./no-such-file.mjs'), /no-such-file/)
})

t.test('a text', async t => {
  const folder = t.testdir({ 'one.pem': 'é' })
  t.equal(loadText(join(folder, 'one.pem')), 'é')
  t.throws(() => loadText(join(folder, 'none')), { code: 'ENOENT' })
})
