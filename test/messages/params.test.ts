import t from 'tap'
import { Params } from '../../src/messages/params.ts'
import { parseParameters, Url } from '../../src/messages/url.ts'
import { fault, params } from './kit.ts'

t.test('each kind', async t => {
  const all = params(
    'x://h;t=text;b=yes;i=0x10;s=64kb;d=5s;w=two;l=a, b,c;e=;q=-5;p.url=null://;p.a=1',
  )
  t.strictSame(
    [
      all.text('t'),
      all.boolean('b'),
      all.integer('i'),
      all.size('s'),
      all.duration('d'),
      all.choice('w', ['one', 'two']),
      all.list('l'),
      all.list('e'),
      all.seq('q'),
    ],
    ['text', true, 16, 65536, 5000, 'two', ['a', 'b', 'c'], [], -5n],
  )
  t.equal(String(all.embedded('p')), 'null://;a=1')
  t.strictSame([all.has('t'), all.has('u')], [true, false])
  const none = params('x://')
  t.strictSame(
    [
      none.text('t', 'd'),
      none.boolean('b', false),
      none.integer('i', 1),
      none.size('s', 2),
      none.duration('d', 3),
      none.choice('w', ['a', 'b'], 'b'),
      none.list('l', []),
      none.seq('q', 0n),
    ],
    ['d', false, 1, 2, 3, 'b', [], 0n],
  )
})

t.test('errors show the URL and point at the value', async t => {
  const at = (spaces: number, length: number): string => ' '.repeat(spaces + 2) + '^'.repeat(length)
  t.equal(
    fault(() => params('mem://;size=1.5kb').size('size')),
    'size must be a size: a whole number and b, kb, mb, gb, bit, kbit, mbit or gbit; ' +
      `got "1.5kb"\n` +
      `  mem://;size=1.5kb\n${at(12, 5)}`,
  )
  t.equal(
    fault(() => params('x://;a=1;n=0').integer('n', 1, { least: 1 })),
    `n must be a whole number of at least 1; got "0"\n  x://;a=1;n=0\n${at(11, 1)}`,
  )
  t.match(
    fault(() => params('x://;n=9').integer('n', 1, { least: 1, most: 8 })),
    'n must be a whole number from 1 to 8; got "9"',
  )
  t.match(
    fault(() => params('x://;n=a').integer('n')),
    'n must be a whole number; got "a"',
  )
  t.match(
    fault(() => params('x://;s=1b').size('s', 2, 2)),
    's must be a size of at least 2b: a whole',
  )
  t.match(
    fault(() => params('x://;s=1bit').size('s')),
    /^s must be a size/,
  )
  t.match(
    fault(() => params('x://;d=10').duration('d')),
    'd must be a duration: a whole number and ns, us, ms, s, m, h or d; got "10"',
  )
  t.match(
    fault(() => params('x://;b=').boolean('b')),
    'b must be yes or no; got ""\n  x://;b=\n         ^',
  )
  t.match(
    fault(() => params('x://;w=c').choice('w', ['a', 'b'])),
    'w must be one of a, b; got "c"',
  )
  t.match(
    fault(() => params('x://;q=z').seq('q')),
    'q must be a whole number of 64 bits; got "z"',
  )
  t.equal(
    fault(() => params('x://h').text('t')),
    `t must be given\n  x://h\n${at(5, 1)}`,
  )
  t.match(
    fault(() => params('x://h').embedded('p')),
    /^p must be given/,
  )
  t.match(
    fault(() => Params.of(parseParameters(''), 'x').text('t')),
    't must be given\n  (open)\n        ^',
  )
})

t.test('a parameter that is missing', async t => {
  t.equal(
    fault(() => params('x://h').integer('n')),
    'n must be given, a whole number\n  x://h\n       ^',
  )
})

t.test('all values', async t => {
  t.strictSame(params('x://h;a=1;b.c=2').values, { a: '1', 'b.c': '2' })
})

t.test('the order of look-up', async t => {
  const defaults = parseParameters('mem.size=3b;mem.frame=full')
  const of = (text: string): Params => new Params(Url.parse(text), defaults)
  t.equal(of('mem://;size=2b;mem.size=1b').size('size'), 1, 'with its prefix')
  t.equal(of('mem://;size=2b').size('size'), 2, 'without')
  t.equal(of('mem://').size('size'), 3, 'in the defaults')
  t.equal(of('zero://').size('size', 4), 4)
  t.equal(of('rate+mem://;rate.size=5b').size('size'), 5, 'the prefix is the outermost protocol')
  t.equal(of('mem://').text('frame'), 'full')
  const less = of('mem://h;size=2b;x=1').without(key => key === 'size')
  t.strictSame([String(less.url), less.size('size')], ['mem://h;x=1', 3])
})

t.test('the names below a key', async t => {
  const given = params('rate+x://;bucket.a.speed=1;bucket.a.unit=2;rate.bucket.b.speed=1;bucket=5')
  t.strictSame([given.names('bucket'), given.names('nothing')], [['a', 'b'], []])
})

/** They threw a TypeError of their own inside, or took anything. */
t.test('calls with something else', async t => {
  const url = Url.parse('x://;a=1')
  const given = new Params(url) as any
  const calls: (() => unknown)[] = [
    () => new (Params as any)('x://'),
    () => new (Params as any)(url, {}),
    () => (Params as any).of(new Map(), 5),
    () => given.without('a'),
    () => given.integer('a', 0, null),
    () => given.integer('a', 0, { lest: 5 }),
    () => given.size('a', 0, '1kb'),
    () => given.choice('a', 'yes'),
    () => given.choice('a', ['yes', 5]),
    () => given.fault('a', 5),
    ...['has', 'text', 'boolean', 'integer', 'seq', 'size', 'duration', 'list', 'names'].map(
      name => () => given[name](5),
    ),
    () => given.embedded(Symbol('a')),
  ]
  for (const call of calls) t.throws(call, { code: 'ERR_INVALID_ARGUMENT' })
})
