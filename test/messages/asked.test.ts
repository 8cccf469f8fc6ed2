import t from 'tap'
import {
  ASKED,
  Asked,
  type Asker,
  askers,
  checkAsked,
  unknownParameter,
} from '../../src/messages/asked.ts'
import { hostWasRead, parseParameters, Url } from '../../src/messages/url.ts'
import { fault } from './kit.ts'

const asker = (prefix: string, ...names: string[]): Asker => {
  const asked = new Asked(prefix)
  for (const name of names) asked.add(name)
  return { [ASKED]: asked, url: Url.parse(`${prefix}://`) }
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

t.test('a parameter in place of a host that nobody has read', async t => {
  const check = (text: string, read: (url: Url) => unknown) => {
    const url = Url.parse(text)
    read(url)
    const below = { params: { ...asker('x', 'a'), url }, children: [] }
    return fault(() => checkAsked('x://', url.entries, { ...below, children: [below] }))
  }
  const nobody = () => {}
  t.equal(check('x://a;a=1', nobody), 'nothing')
  t.equal(
    check('x://a=1;a=1', nobody),
    "a parameter comes after ';', as in x://;a=1\n  x://a=1;a=1\n      ^^^",
  )
  t.match(check('x://a=1;b=1', nobody), 'a parameter comes')
  for (const read of [(url: Url) => url.host, String, (url: Url) => url.with('y')])
    t.equal(check('x://a=1', read), 'nothing')
  t.equal(hostWasRead(Url.parse('x://h').with('y')), false)
  t.match(check('x://;b=1', nobody), 'x:// has no parameter b')
})
