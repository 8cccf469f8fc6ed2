import { readFileSync } from 'node:fs'
import t from 'tap'
import { ROOT } from './built.ts'
import { PAGES, rewritten } from './runtimes/table.ts'

t.test('the pages say of Bun and Deno what the last recorded run has shown', async t => {
  for (const page of PAGES) {
    const text = readFileSync(ROOT + page, 'utf8')
    t.equal(rewritten(page, text), text, page)
  }
  t.throws(() => rewritten('README.md', 'no place'), { message: /README.md has no place/ })
})
