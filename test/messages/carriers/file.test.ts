import t from 'tap'
import { File } from '../../../src/messages/carriers/file.ts'
import { FileReader } from '../../../src/messages/carriers/file-reader.ts'
import { FileWriter } from '../../../src/messages/carriers/file-writer.ts'
import type { Init } from '../../../src/messages/init.ts'
import { fault, params } from '../kit.ts'

t.test('which of the two', async t => {
  const choose = (text: string): unknown =>
    File.replace?.({ params: params(`file://${text}`) } as Init)
  t.strictSame(['x', 'x;dir=r', 'x;dir=in'].map(choose), Array(3).fill(FileReader))
  t.strictSame(['x;dir=w', 'x;dir=out'].map(choose), Array(2).fill(FileWriter))
  t.match(
    fault(() => choose('x;dir=rw')),
    'dir must be one of r, w, in, out; got "rw"',
  )
  t.match(
    fault(() => choose('')),
    'a file has a name\n  file://\n         ^',
  )
})
