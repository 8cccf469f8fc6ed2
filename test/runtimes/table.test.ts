import { readFileSync } from 'node:fs'
import t from 'tap'
import { ROOT } from '../built.ts'
import { resultsOf, withTable } from './table.ts'

t.test("README's table of runtimes is that of the last recorded run", async t => {
  const readme = readFileSync(`${ROOT}README.md`, 'utf8')
  t.equal(withTable(readme, resultsOf()), readme)
  t.throws(() => withTable('no place', resultsOf()), { message: /no place/ })
})
