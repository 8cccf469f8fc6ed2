import t from 'tap'
import { Lines } from '../../../src/commands/cat/lines.ts'

const cut = (chunks: string[], lines = new Lines()): string[] => {
  const all = chunks.flatMap(chunk => [...lines.add(Buffer.from(chunk))].map(String))
  const rest = lines.rest()
  return rest === undefined ? all : [...all, `rest ${rest}`]
}

t.test('whatever the chunks', async t => {
  const text = 'one\n\ntwo\r\nthree'
  const expected = ['one', '', 'two\r', 'rest three']
  t.strictSame(cut([text]), expected)
  t.strictSame(cut([...text]), expected)
  t.strictSame(cut(['one', '\n\ntw', 'o\r\nthree']), expected)
  t.strictSame(cut([]), [])
  t.strictSame(cut(['a\n']), ['a'])
})

// Each chunk was added to all that came before, and searched from the beginning: 60 MB without a
// line end took more than a minute, and there was no limit.
t.test('a line that is too long', async t => {
  const lines = new Lines(10)
  t.strictSame([...lines.add(Buffer.from('123456789'))], [])
  t.throws(() => [...lines.add(Buffer.from('01'))], {
    message: 'a line of the input is longer than 10 bytes; --raw sends it as it comes',
  })
})
