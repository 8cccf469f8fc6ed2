import t from 'tap'
import { ASKED, Asked, type Asker, askers, unknownParameter } from '../../src/messages/asked.ts'
import { parseParameters } from '../../src/messages/url.ts'

const asker = (prefix: string, ...names: string[]): Asker => {
  const asked = new Asked(prefix)
  for (const name of names) asked.add(name)
  return { [ASKED]: asked }
}

t.test('what was asked for', async t => {
  const one = asker('mem', 'size', 'a.b')
  one[ASKED].addAll('inner.')
  t.strictSame(
    ['size', 'mem.size', 'a.b', 'mem.a.b', 'inner.x', 'b', 'tcp.size', 'inner'].map(key =>
      one[ASKED].has(key),
    ),
    [true, true, true, true, true, false, false, false],
  )
  t.strictSame(one[ASKED].like('mem.x'), ['mem.size', 'mem.a.b'])
  t.strictSame(one[ASKED].like('x'), ['size', 'a.b'])
})

t.test('the first that nobody asked for', async t => {
  const all = [asker('rate', 'speed', 'dir'), asker('mem', 'size', 'dir')]
  const find = (text: string) => unknownParameter('x://', parseParameters(text), all)
  t.equal(find('speed=1;mem.size=2;dir=w'), undefined)
  t.match(find('speed=1;sise=2'), {
    code: 'ERR_INVALID_URL',
    message: 'x:// has no parameter sise; did you mean size?\n  speed=1;sise=2\n          ^^^^',
    at: 8,
    length: 4,
  })
  t.match(find('zzz=1')?.message, 'there are: dir, size, speed')
  const child = { params: all[1]!, children: [] }
  t.strictSame([...askers({ params: all[0]!, children: [child] })], all)
})
