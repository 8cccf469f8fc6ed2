/** bench/README.md: what every page has, and where its figures come from. */

import t from 'tap'
import { pageText, testPage } from './kit.ts'

const PAGE = 'bench/README.md'

testPage('bench/README.md')

t.test('npm run bench:readme finds its place, here and in README', async t => {
  for (const page of [PAGE, 'README.md'])
    t.equal(pageText(page).match(/^<!-- bench:(begin|end) -->$/gm)?.length, 2, page)
})
