/**
 * Layer 7. Values: what one line of RESP says, and what becomes of the elements of an array.
 */

import { protocolError, serverError } from './errors.ts'
import { Push, type Reply } from './reply.ts'

/** What stands on one line. */
export function scalarOf(type: string, text: string): Reply {
  switch (type) {
    case '+':
      return text
    case '-':
      return serverError(text)
    case ':':
      return integerOf(text)
    case '(':
      if (!/^[+-]?\d+$/.test(text)) throw protocolError('a big number must be a number')
      return BigInt(text)
    case ',':
      return doubleOf(text)
    case '#':
      if (text !== 't' && text !== 'f') throw protocolError('a boolean must be t or f')
      return text === 't'
    default:
      if (text !== '') throw protocolError('a null must be empty')
      return null
  }
}

function integerOf(text: string): number | bigint {
  if (!/^[+-]?\d{1,20}$/.test(text)) throw protocolError('an integer must be a number')
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
}

function doubleOf(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^-?nan(\(.*\))?$/i.test(text)) return NaN
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text))
    throw protocolError('a double must be a number')
  return Number(text)
}

/** An aggregate all of whose elements have come. */
export function valueOf(type: string, elements: Reply[]): Reply | Push {
  if (type === '>') return new Push(elements)
  if (type === '~') return new Set(elements)
  if (type === '*') return elements
  const map = new Map<Reply, Reply>()
  for (let i = 0; i < elements.length; i += 2) map.set(elements[i]!, elements[i + 1]!)
  return map
}
