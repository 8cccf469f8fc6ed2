/**
 * Layer 7. Subjects: which are valid, and how they go on the wire.
 *
 * Rules:
 * 1. A subject is tokens with `.` in between; a token has no blank and no control character.
 * 2. `*` and `>` are wildcards only as whole tokens, `>` only as the last. `f*` is a literal.
 * 3. What is wrong is refused at the call: the server would close the connection, or take the rest
 *    of the line for something else.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError } from '../../errors.ts'

/** The server's `max_control_line` is 4096 bytes, in which there is a verb, an id and a length. */
const LONGEST = 4000

/** ASCII without a blank or a wildcard: nearly every subject. */
const PLAIN = /^[!-)+-\-/-=?-~]+(?:\.[!-)+-\-/-=?-~]+)*$/

/* eslint-disable-next-line no-control-regex */
const BLANK = /[\s\0-\x20\x7f]/

/** A subject to publish to, as it goes on the wire. Throws InvalidArgumentError. */
export function checkSubject(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= LONGEST && PLAIN.test(value)) return value
  const subject = check(name, value)
  if (subject.split('.').some(token => token === '*' || token === '>'))
    throw new InvalidArgumentError(name, 'a subject without wildcards', value)
  return onWire(name, subject)
}

/** A subject to subscribe to; it may have wildcards. Throws InvalidArgumentError. */
export function checkPattern(name: string, value: unknown): string {
  const subject = check(name, value)
  if (subject.split('.').slice(0, -1).includes('>'))
    throw new InvalidArgumentError(name, 'a subject with > only as its last token', value)
  return onWire(name, subject)
}

/** The name of a queue group, a stream or a consumer: one word. Throws InvalidArgumentError. */
export function checkWord(name: string, value: unknown, forbidden = /[\s\0-\x20\x7f]/): string {
  if (typeof value !== 'string' || value === '' || forbidden.test(value))
    throw new InvalidArgumentError(name, 'a word, without blanks and special characters', value)
  return onWire(name, value)
}

function check(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new InvalidArgumentError(name, 'a string', value)
  if (BLANK.test(value))
    throw new InvalidArgumentError(name, 'a subject without blanks and control characters', value)
  if (value.split('.').includes(''))
    throw new InvalidArgumentError(name, 'a subject whose tokens are not empty', value)
  return value
}

/** One character a byte: UTF-8 if it is not ASCII. */
function onWire(name: string, text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length > LONGEST)
    throw new InvalidArgumentError(name, `at most ${LONGEST} bytes long`, text)
  return bytes.length === text.length ? text : bytes.toString('latin1')
}

/** Does a subject match this pattern? */
export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  const isOpen = wanted.at(-1) === '>'
  if (isOpen ? tokens.length < wanted.length : tokens.length !== wanted.length) return false
  return wanted.every(
    (token, i) => token === '*' || token === tokens[i] || (isOpen && i === wanted.length - 1),
  )
}
