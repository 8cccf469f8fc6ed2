/**
 * What a program gives as text: addresses, text in an encoding, expressions. It is taken as it is,
 * or refused by a named error.
 */

import { formatAddress, parseAddress, socketAddress } from '../../src/core/address.ts'
import { longestMatch, matchEnd } from '../../src/core/reading/pattern-length.ts'
import { textBytes } from '../../src/core/writing/text-bytes.ts'
import type { Address } from '../../src/types.ts'
import { coded, pick, type Random, type Target } from './target.ts'

const LETTERS = [...'ab.:/\\[]-_0159%@ '].concat(
  '\0',
  'é',
  '::1',
  'localhost',
  '127.0.0.1',
  '.sock',
)

const word = (random: Random): string =>
  Array.from({ length: random(6) }, () => pick(random, LETTERS)).join('')

const number = (random: Random): unknown =>
  pick<unknown>(random, [0, 80, 65535, 65536, -1, 1.5, NaN, '80', null, undefined, 5n])

function place(random: Random): unknown {
  switch (random(6)) {
    case 0:
      return word(random)
    case 1:
      return number(random)
    case 2:
      return [word(random), number(random)]
    case 3:
      return { host: word(random), port: number(random) }
    case 4:
      return { path: word(random), ...(random(4) === 0 && { port: number(random) }) }
    default:
      return { [pick(random, ['host', 'Host', 'port', 'path', 'hots'])]: pick(random, ['a', 1]) }
  }
}

export const addresses: Target = {
  name: 'addresses',
  round(random) {
    const given = place(random)
    const endpoint = coded(() => parseAddress(given as Address))
    const shown = JSON.stringify([given, endpoint], (_key, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    if (typeof endpoint === 'string')
      return endpoint === 'ERR_INVALID_ADDRESS' ? [] : [`${shown} is refused so`]
    const again = coded(() =>
      parseAddress(
        endpoint.kind === 'unix' ? { path: endpoint.path } : [endpoint.host, endpoint.port],
      ),
    )
    if (JSON.stringify(again) !== JSON.stringify(endpoint)) return [`${shown} is not stable`]
    if (formatAddress(endpoint) === '') return [`${shown} is shown as nothing`]
    return endpoint.kind === 'ip' && socketAddress(endpoint.host, endpoint.port).length !== 2
      ? [`${shown} is not reported as host and port`]
      : []
  },
}

export const encoded: Target = {
  name: 'text in an encoding',
  round(random) {
    const encoding = pick(random, [
      'hex',
      'base64',
      'base64url',
      'latin1',
      'utf8',
      'utf16le',
    ] as const)
    const bytes = Buffer.from(Array.from({ length: random(20) }, () => random(256)))
    const text = random(2) === 0 ? bytes.toString(encoding) : word(random)
    const made = coded(() => textBytes('x', text, encoding))
    if (typeof made === 'string')
      return made === 'ERR_INVALID_ARGUMENT' && text !== bytes.toString(encoding)
        ? []
        : [`${encoding} ${JSON.stringify(text)}: ${made}`]
    const size = { hex: text.length / 2, base64: 0, base64url: 0 }[encoding as string]
    const isWhole =
      size === undefined || made.length === (size || (text.replace(/=+$/, '').length * 6) >> 3)
    return isWhole && made.equals(Buffer.from(text, encoding))
      ? []
      : [`${encoding} ${JSON.stringify(text)} loses something`]
  },
}

// prettier-ignore
const ATOMS = [
  'a', 'b', '.', '[ab]', '[^a]', '\\w', '\\x61', '\\d', '\\0', '{', '$', '^', '\\b', '\\1',
]
const TIMES = ['', '', '', '?', '??', '{2}', '{0,3}', '{1,2}?', '{0}', '*', '+?', '{2,}']

function expression(random: Random, depth: number): string {
  const parts = Array.from({ length: 1 + random(2) }, () => {
    const open = pick(random, ['(', '(?:', '(?=', '(?<!', `(?<n${random(1e9)}>`])
    const isGroup = depth > 0 && random(4) === 0
    const atom = isGroup ? `${open}${expression(random, depth - 1)})` : pick(random, ATOMS)
    return atom + pick(random, TIMES)
  }).join('')
  return depth > 0 && random(4) === 0 ? `${parts}|${expression(random, depth - 1)}` : parts
}

export const expressions: Target = {
  name: 'expressions',
  round(random) {
    const source = expression(random, 2)
    let pattern: RegExp
    try {
      pattern = new RegExp(source, pick(random, ['g', 'gi', 'gs', 'gm']))
    } catch {
      return []
    }
    const most = longestMatch(pattern)
    const text = Array.from({ length: 16 }, () => pick(random, [...'ab1{$'])).join('')
    const matches = [...text.matchAll(pattern)].map(([match]) => match)
    const long = matches.find(({ length }) => length > most)
    const end = matchEnd(pattern)
    const other = matches.find(match => match !== '' && end?.test(match.at(-1)!) === false)
    return [
      ...(long === undefined ? [] : [`${pattern} matches ${long.length}, more than ${most}`]),
      ...(other === undefined ? [] : [`${pattern} matches ${other}, which does not end as ${end}`]),
    ]
  },
}
