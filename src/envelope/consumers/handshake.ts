/**
 * Layer 9. Handshake: what is known about a peer before its first message. And `language_of`: the
 * language that a browser asks for.
 */

import { checkRecord, checkText, listOf } from '../../core/checks.ts'

const checkNames = listOf(checkText, 'languages')

/** What is known about a peer that connects: `on_handshake` gets it. */
export interface Handshake {
  /** The address of the peer, as text; '' if the channel has none. */
  readonly address: string
  /** The header fields of its request, by their names in lower case; {} without WebSocket. */
  readonly headers: Readonly<Record<string, string>>
  /** The parameters after the '?' of its request; empty without WebSocket. */
  readonly query: URLSearchParams
}

/**
 * The language for a peer, out of `languages`: the one of its cookie `language`, or else the best
 * one of its Accept-Language, or else the first one. `sv` serves `sv-FI`, too. Throws
 * InvalidArgumentError if there are no headers, or no list of languages.
 */
export function language_of(
  handshake: Pick<Handshake, 'headers'>,
  languages: readonly [string, ...string[]],
  cookie = 'language',
): string {
  const headers = checkRecord('language_of: headers', handshake?.headers)
  checkNames('language_of: languages', languages)
  const asked = [...cookiesOf(headers['cookie'], cookie), ...accepted(headers['accept-language'])]
  for (const each of asked) {
    const found = languages.find(language => covers(language, each))
    if (found !== undefined) return found
  }
  return languages[0]
}

function covers(language: string, asked: string): boolean {
  const [one, other] = [language.toLowerCase(), asked.toLowerCase()]
  return other === one || other.startsWith(`${one}-`)
}

function cookiesOf(text = '', name: string): string[] {
  return text
    .split(';')
    .map(each => each.trim().split('='))
    .filter(([key]) => key === name)
    .map(([, value = '']) => value)
}

/** The best first; those with the same weight in their order. */
function accepted(text = ''): string[] {
  return text
    .split(',')
    .map(each => {
      const [language = '', ...rest] = each.trim().split(/\s*;\s*/)
      const weight = rest.find(part => part.startsWith('q='))?.slice(2)
      return { language, weight: weight === undefined ? 1 : Number(weight) }
    })
    .filter(({ language, weight }) => language !== '' && weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ language }) => language)
}
