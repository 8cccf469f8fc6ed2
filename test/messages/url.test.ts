/** Errors show the URL and point at the invalid part. The tests compare the whole message. */

import t from 'tap'
import {
  branch,
  embedded,
  formatEntries,
  hostWasRead,
  merge,
  parseParameters,
  Url,
} from '../../src/messages/url.ts'
import { fault } from './kit.ts'

const plain = (entries: ReadonlyMap<string, { value: string }>): Record<string, string> =>
  Object.fromEntries([...entries].map(([key, { value }]) => [key, value]))

function parts(text: string): unknown[] {
  const { protocol, host, entries } = Url.parse(text)
  return [protocol, host, plain(entries)]
}

t.test('the parts of a URL', async t => {
  t.strictSame(parts('null://'), ['null', '', {}])
  t.strictSame(parts('tcp://[::1]:5555;mode=client;frame=line'), [
    'tcp',
    '[::1]:5555',
    { mode: 'client', frame: 'line' },
  ])
  t.strictSame(
    parts('a+b+c:///x/y;;a.b=1;;'),
    ['a+b+c', '/x/y', { 'a.b': '1' }],
    'empty parts are nothing',
  )
  t.strictSame(
    parts('x://h;a=b=c;d='),
    ['x', 'h', { a: 'b=c', d: '' }],
    'a value may have =, or be empty',
  )
  t.strictSame(parts('x://;a=1;a.b=2'), ['x', '', { a: '1', 'a.b': '2' }])
  t.strictSame(parts('x://;p=null://'), ['x', '', { p: 'null://' }])
  const text = 'rate+x://h;a=b=c;d='
  t.equal(String(Url.parse(text)), text)
  const uses = [
    (url: Url) => url.protocol,
    (url: Url) => url.host,
    String,
    (url: Url) => url.with('y'),
  ]
  const used = uses.map(use => [Url.parse(text), use] as const).map(([url, use]) => (use(url), url))
  t.strictSame(used.map(hostWasRead), [false, true, true, true])
  for (const wrong of [[5], ['x', 5]] as const)
    t.match(
      fault(() => Url.parse(text).with(...(wrong as unknown as [string]))),
      /^with: (protocol must be text|isLeftOut must be a function); got 5/,
    )
})

t.test('errors point at the invalid part', async t => {
  const cases: [url: string, message: string][] = [
    ['tcp:/x', 'a URL needs "://" after its protocol\n  tcp:/x\n  ^^^^^^'],
    ['', 'a URL needs "://" after its protocol\n  \n  ^'],
    ['://x', 'a URL begins with a protocol\n  ://x\n  ^'],
    ['a b://x', 'a URL begins with a protocol\n  a b://x\n  ^^^'],
    ['x://h;mode', 'a parameter is key=value\n  x://h;mode\n        ^^^^'],
    ['x://h;;a=1;b;c=1', 'a parameter is key=value\n  x://h;;a=1;b;c=1\n             ^'],
    ['x://h;=1', 'this key is invalid\n  x://h;=1\n        ^'],
    ['x://h;a..b=1', 'this key is invalid\n  x://h;a..b=1\n        ^^^^'],
    ['x://h;a=1;b=2;a=3', 'a is given twice\n  x://h;a=1;b=2;a=3\n                ^^^'],
    [
      'x://h;host=y',
      'host is not a parameter: it comes before the first ";"\n  x://h;host=y\n        ^^^^',
    ],
    [
      'x://\n;proto=y',
      'proto is not a parameter: it comes before the first ";"\n  x://·;proto=y\n        ^^^^^',
    ],
  ]
  for (const [url, message] of cases)
    t.equal(
      fault(() => Url.parse(url)),
      message,
    )
  t.match(
    fault(() => Url.parse(5 as never)),
    /^url must be a string/,
  )
  const url = Url.parse('tcp+x://host;a=1')
  t.equal(
    url.host_fault('no such host').message,
    'no such host\n  tcp+x://host;a=1\n          ^^^^',
  )
  t.equal(url.protocol_fault('no').message, 'no\n  tcp+x://host;a=1\n  ^^^^^')
  t.throws(() => Url.parse('x'), { code: 'ERR_INVALID_URL', url: 'x', at: 0, length: 1 })
})

t.test('another protocol, fewer parameters', async t => {
  t.equal(
    String(Url.parse('rate+x://h;a=1;b=2;a.c=3').with('x', key => key.startsWith('a'))),
    'x://h;b=2',
  )
  t.equal(String(Url.parse('x://h;a=1').with('y')), 'y://h;a=1')
})

t.test('parameters alone', async t => {
  t.strictSame(plain(parseParameters('a=1;b.c=x')), { a: '1', 'b.c': 'x' })
  t.strictSame(plain(parseParameters('')), {})
  t.strictSame(plain(parseParameters({ a: 1, b: true, c: false, d: 5n, e: 'x=y' })), {
    a: '1',
    b: 'yes',
    c: 'no',
    d: '5',
    e: 'x=y',
  })
  t.equal(formatEntries(parseParameters('a=1;b=2')), ';a=1;b=2')
  t.equal(
    fault(() => parseParameters('a=1;b')),
    'a parameter is key=value\n  a=1;b\n      ^',
  )
  // A ';' in a value of an object began another parameter.
  t.match(
    fault(() => parseParameters({ host: 'x;mode=server' })),
    `parameters: host must be text without ';', a number or a boolean; got "x;mode=server"`,
  )
  for (const wrong of [undefined, null, {}])
    t.match(
      fault(() => parseParameters({ a: wrong as never })),
      'parameters: a must be text',
    )
  t.match(
    fault(() => parseParameters(null as never)),
    /^parameters must be text like 'a=1;b=2', or an object; got null/,
  )
})

t.test('a branch of the parameters', async t => {
  t.strictSame(plain(branch(parseParameters('a.b=1;a.c.d=2;ab=3;a=4'), 'a')), {
    b: '1',
    'c.d': '2',
  })
})

t.test('a URL in a URL, in three forms', async t => {
  const of = (text: string): string | undefined => embedded(parseParameters(text), 'p')?.toString()
  t.equal(of('a=1'), undefined)
  t.equal(of('p=null://x'), 'null://x')
  t.equal(of('p=null://;p.stat=yes'), 'null://;stat=yes')
  t.equal(of('p.url=null://x;p.stat=yes'), 'null://x;stat=yes')
  t.equal(of('p.proto=null;p.stat=yes'), 'null://;stat=yes')
  t.equal(of('p.proto=tcp;p.host=h:1'), 'tcp://h:1')
  t.equal(
    fault(() => of('p=null://;p.url=zero://')),
    'p is given in two ways\n  p=null://;p.url=zero://\n            ^^^^^',
  )
  t.equal(
    fault(() => of('a=1;p=nonsense')),
    'a URL needs "://" after its protocol\n  a=1;p=nonsense\n        ^^^^^^^^',
    'pointed at in the whole',
  )
  t.equal(
    fault(() => embedded(Url.parse('x://;p.url=a://;p.proto=b').entries, 'p')),
    'p is given in two ways\n  x://;p.url=a://;p.proto=b\n                  ^^^^^^^',
  )
})

// Three thousand of them overflowed the stack: a RangeError without a code.
t.test('too many prefixes', async t => {
  Url.parse('filter+'.repeat(32) + 'null://')
  t.match(
    fault(() => Url.parse('filter+'.repeat(3000) + 'null://')),
    'a URL has at most 32 prefixes',
  )
})

t.test('additional parameters', async t => {
  t.equal(String(merge(Url.parse('x://h;a=1'), parseParameters('b=2'))), 'x://h;a=1;b=2')
  t.equal(
    fault(() => merge(Url.parse('x://h;a=1'), parseParameters('b=2;a=33'))),
    'a is given twice\n  b=2;a=33\n      ^^^^',
  )
})
