import t from 'tap'
import { fileName } from '../../../src/messages/carriers/file-name.ts'
import { fault, params } from '../kit.ts'

t.test('of the URL, or of the opening', async t => {
  t.equal(fileName(params('file://a'), params('x://')), 'a')
  t.equal(fileName(params('file://'), params('x://;filename=b')), 'b')
  t.match(
    fault(() => fileName(params('file://'), params('x://'))),
    "the file is missing; without one, open('filename=…') must give it\n  file://\n         ^",
  )
})
