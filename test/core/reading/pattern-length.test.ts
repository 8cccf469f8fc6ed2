/** The longest match of a RegExp, never less than what really matches, and how it can end. */

import t from 'tap'
import { longestMatch, matchEnd } from '../../../src/core/reading/pattern-length.ts'
import { pick, type Random, rounds, seeded } from '../oracle.ts'

t.test('expressions with a bound', async t => {
  const rows: [pattern: RegExp, most: number][] = [
    [/\n/, 1],
    [/\r?\n/, 2],
    [/\r\n|\n\r|;/, 2],
    [/[;,]/, 1],
    [/[^\]\\]x/, 2],
    [/[]|[^]/, 1],
    [/\d{3}/, 3],
    [/[^\n]{1,256}|\n/, 256],
    [/(?:ab|c(def)?){2}/, 8],
    [/(?<name>ab)?\s\S\w\W\D./, 8],
    [/\x41\u0042\cJ\0\t\//, 6],
    [new RegExp('\\X41'), 3],
    [new RegExp('\\p{2}'), 2],
    [new RegExp('\\u{3}'), 3],
    [/\u{41}\p{L}\P{L}/u, 3],
    [/a??b{2}?c/, 4],
    [/a{0}b/, 1],
    [/(?:a*){0}b/, 1],
    [/a{,5}/, 5],
    [/x{/, 2],
    [/]}/, 2],
    [/ab/gimsuy, 2],
    [/(?:)/, 0],
    [/(?:)*a/, 1],
    [/(a|b|)c/, 2],
  ]
  for (const [pattern, most] of rows) t.equal(longestMatch(pattern), most, String(pattern))
})

t.test('expressions without one, or where it is not known', async t => {
  // prettier-ignore
  for (const pattern of [
    /a*/, /a+?/, /a{2,}/, /(?:ab|c+)d/, /^a/, /a$/, /(?:a|$)b/, /\ba/, /a\B/, /a(?=b)/, /a(?!b)/,
    /(?<=a)b/, /(?<!a)b/, /(a)\1/, /(?<n>a)\k<n>/, /\c1/, new RegExp('[\\q{abc}]', 'v'),
  ])
    t.equal(longestMatch(pattern), Infinity, String(pattern))
})

const ATOMS = ['a', 'b', '.', '[ab]', '[^a]', '\\w', '\\x61', '\\u0062', '\\d', '\\0', '\\t', '{']
const TIMES = ['', '', '', '?', '??', '{2}', '{0,3}', '{1,2}?', '{0}']

function made(random: Random, depth: number): string {
  const parts = Array.from({ length: 1 + random(3) }, () => {
    const kind = depth > 0 ? random(4) : 0
    const inner = (): string => made(random, depth - 1)
    const atom =
      kind === 3
        ? `${pick(random, ['(', '(?:', `(?<n${random(1e9)}>`])}${inner()})`
        : pick(random, ATOMS)
    return atom + pick(random, TIMES)
  })
  const sequence = parts.join('')
  return random(4) === 0 && depth > 0 ? `${sequence}|${made(random, depth - 1)}` : sequence
}

t.test('PROPERTY: no match is longer', async t => {
  let matches = 0
  for (let seed = 0; seed < rounds(1000); seed++) {
    const random = seeded(seed)
    const pattern = new RegExp(made(random, 3), 'g')
    const most = longestMatch(pattern)
    if (most === Infinity) t.fail(`seed ${seed}: ${pattern}`)
    const text = Array.from({ length: 60 }, () => pick(random, ['a', 'b', '1', '\0', '{'])).join('')
    for (const [match] of text.matchAll(pattern)) {
      matches++
      if (match.length > most) t.fail(`seed ${seed}: ${pattern} matches ${match.length} > ${most}`)
    }
  }
  t.ok(matches > 3000, `${matches} matches`)
})

t.test('with what a match can end', async t => {
  const rows: [pattern: RegExp, end: RegExp | undefined][] = [
    [/\s*\n/g, /\n/],
    [/a+b?/i, /a|b/i],
    [/a{2,}(b|c*)[de]{0,3}/, /a|b|c|[de]/],
    [/^(?:x|yz)*;/m, /;/m],
    [/(?:ab|)+/, /b/],
    [/\u{41}+\p{L}/uy, /\p{L}/u],
    [/(?:)/, undefined],
    [/a+$/, undefined],
    [/a*(?=b)/, undefined],
    [/(a*)\1/, undefined],
    [new RegExp('[a]*', 'v'), undefined],
  ]
  for (const [pattern, end] of rows) t.same(matchEnd(pattern), end, String(pattern))
})

t.test('PROPERTY: no match ends in another way', async t => {
  let matches = 0
  for (let seed = 0; seed < rounds(1000); seed++) {
    const random = seeded(seed)
    const pattern = new RegExp(`${made(random, 3)}${pick(random, ['', 'a*', '(?:b+|1)?'])}`, 'g')
    const end = matchEnd(pattern)
    const text = Array.from({ length: 60 }, () => pick(random, ['a', 'b', '1', '\0', '{'])).join('')
    for (const [match] of text.matchAll(pattern)) {
      if (match === '') continue
      matches++
      if (!end!.test(match.at(-1)!)) t.fail(`seed ${seed}: ${pattern} matches ${match}, not ${end}`)
    }
  }
  t.ok(matches > 3000, `${matches} matches`)
})
