/** The faults are those of the original's parser, which was run on each of these texts. */

import t from 'tap'
import { jsonFault } from '../../../src/envelope/schema/json-fault.ts'

// prettier-ignore
const FAULTS: readonly (readonly [text: string, fault: string])[] = [
  ['', 'Expecting value: line 1 column 1 (char 0)'],
  [' ', 'Expecting value: line 1 column 2 (char 1)'],
  ['nul', 'Expecting value: line 1 column 1 (char 0)'],
  ['[', 'Expecting value: line 1 column 2 (char 1)'],
  ['[1,]', 'Expecting value: line 1 column 4 (char 3)'],
  ['[1 2]', "Expecting ',' delimiter: line 1 column 4 (char 3)"],
  ['[[], [1], {}, {"a": {}} x', "Expecting ',' delimiter: line 1 column 25 (char 24)"],
  ['{', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['{a}', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['{"t":1,}', 'Expecting property name enclosed in double quotes: line 1 column 8 (char 7)'],
  ['{"t"', "Expecting ':' delimiter: line 1 column 5 (char 4)"],
  ['{"t":1 "p"}', "Expecting ',' delimiter: line 1 column 8 (char 7)"],
  ['{"t":1,"x" 1}', "Expecting ':' delimiter: line 1 column 12 (char 11)"],
  ['{"t":"a"} x', 'Extra data: line 1 column 11 (char 10)'],
  ['-1.5e+3 true', 'Extra data: line 1 column 9 (char 8)'],
  ['"abc', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['"abc\\', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['"a\\n\\u00e9', 'Invalid \\uXXXX escape: line 1 column 6 (char 5)'],
  ['"a\\n\\u00e9 ', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['{"t":"a\nb"}', 'Invalid control character at: line 1 column 8 (char 7)'],
  ['"\\x"', 'Invalid \\escape: line 1 column 2 (char 1)'],
  ['"\\u12"', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
  ['\ufeff{}', 'Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)'],
  ['["🙂",\n "é"\n x', "Expecting ',' delimiter: line 3 column 2 (char 12)"],
]

t.test('where a text stops being JSON', async t => {
  for (const [text, fault] of FAULTS) t.equal(jsonFault(text).msg, fault, text)
  t.strictSame(jsonFault('{'), {
    loc: ['__root__'],
    msg: 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)',
    type: 'value_error.jsondecode',
    ctx: {
      msg: 'Expecting property name enclosed in double quotes',
      doc: '{',
      pos: 1,
      lineno: 1,
      colno: 2,
    },
  })
})

t.test('a hostile text costs little', async t => {
  const { msg, ctx } = jsonFault('['.repeat(1_000_000))
  t.match(msg, /^Too deeply nested/)
  t.equal((ctx?.['doc'] as string).length, 1000)
})
