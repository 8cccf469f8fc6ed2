/** The field of extensions, as text. */

import t from 'tap'
import {
  formatExtension,
  parseExtensions,
} from '../../../../src/protocols/websocket/deflate/extensions.ts'

t.test('what is offered', async t => {
  const rows: [string, unknown][] = [
    ['a', [['a', {}]]],
    [
      ' a ; b ; c=1;d = "x" , e',
      [
        ['a', { b: undefined, c: '1', d: 'x' }],
        ['e', {}],
      ],
    ],
    [
      'a,a; b',
      [
        ['a', {}],
        ['a', { b: undefined }],
      ],
    ],
  ]
  for (const [text, wanted] of rows)
    t.same(
      parseExtensions(text)?.map(({ name, parameters }) => [name, Object.fromEntries(parameters)]),
      wanted,
      text,
    )
})

t.test('what is invalid', async t => {
  for (const text of [
    '',
    ',',
    'a,',
    ',a',
    'a;',
    'a;b=',
    'a;b="',
    'a;b="c d"',
    'a b',
    'a;b;b',
    'a=b',
  ])
    t.equal(parseExtensions(text), undefined, text)
})

t.test('as text again', async t => {
  const parameters = new Map([
    ['b', undefined],
    ['c', '1'],
  ])
  t.equal(formatExtension({ name: 'a', parameters }), 'a; b; c=1')
})
