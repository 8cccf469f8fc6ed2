/** src/messages/carriers/README.md: what every page has; it lists all protocols, with prefixes. */

import t from 'tap'
import { Context } from '../../src/messages/index.ts'
import { pageText, testPage } from './kit.ts'

const PAGE = 'src/messages/carriers/README.md'

testPage('src/messages/carriers/README.md')

t.test('every protocol has a row, here or among the prefixes', async t => {
  const prefixes = pageText('src/messages/prefixes/README.md')
  for (const protocol of new Context().protocols) {
    const isPrefix = protocol.endsWith('+')
    const row = isPrefix ? `| \`${protocol}\` |` : `| \`${protocol}://`
    t.ok((isPrefix ? prefixes : pageText(PAGE)).includes(row), protocol)
  }
})
