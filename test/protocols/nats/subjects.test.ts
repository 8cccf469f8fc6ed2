/** Which subjects are valid, to publish to and to subscribe to. */

import t from 'tap'
import {
  checkPattern,
  checkSubject,
  checkWord,
  matches,
} from '../../../src/protocols/nats/subjects.ts'
import { thrown } from '../../kit.ts'

const LONG = 'x'.repeat(4000)

t.test('valid', async t => {
  for (const subject of ['a', 'a.b.c', 'f*', 'a.>b', 'a.b*c', '$JS.API', LONG, '0-_/+'])
    t.same([checkSubject('s', subject), checkPattern('s', subject)], [subject, subject])
  for (const pattern of ['*', '>', 'a.*', '*.b', 'a.>', 'a.*.>'])
    t.equal(checkPattern('s', pattern), pattern)
  // As bytes of UTF-8, one character each.
  t.equal(checkSubject('s', 'ä.b'), 'Ã¤.b')
  t.equal(checkPattern('s', '€'), 'â\x82¬')
  t.equal(checkWord('w', 'workers'), 'workers')
})

t.test('invalid', async t => {
  // prettier-ignore
  const both = ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\tb', 'a\r\nPUB b 0', 'a\0', 'a\x7f',
    'a\u2003b', `${LONG}x`, 'ä'.repeat(2001), undefined, null, 5, {}]
  for (const subject of both) {
    t.equal(
      thrown(() => checkSubject('s', subject)),
      'ERR_INVALID_ARGUMENT',
      String(subject),
    )
    t.equal(
      thrown(() => checkPattern('s', subject)),
      'ERR_INVALID_ARGUMENT',
      String(subject),
    )
  }
  for (const subject of ['*', '>', 'a.*', '*.b', 'a.>', 'a.>.b', '>.a'])
    t.equal(
      thrown(() => checkSubject('s', subject)),
      'ERR_INVALID_ARGUMENT',
      subject,
    )
  for (const subject of ['>.a', 'a.>.b'])
    t.equal(
      thrown(() => checkPattern('s', subject)),
      'ERR_INVALID_ARGUMENT',
      subject,
    )
  for (const word of ['', 'a b', 'a\r', 5])
    t.equal(
      thrown(() => checkWord('w', word)),
      'ERR_INVALID_ARGUMENT',
    )
  t.equal(
    thrown(() => checkWord('w', 'a.b', /[.]/)),
    'ERR_INVALID_ARGUMENT',
  )
})

t.test('matches', async t => {
  const rows: [string, string, boolean][] = [
    ['a.b', 'a.b', true],
    ['a.b', 'a.c', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['f*', 'foo', false],
  ]
  for (const [pattern, subject, is] of rows)
    t.equal(matches(pattern, subject), is, `${pattern} ${subject}`)
})
