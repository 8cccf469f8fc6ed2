/**
 * Layer 8. What the calls of every relay refuse, by InvalidArgumentError.
 *
 * A topic is any text of up to 1 KiB: each relay makes of it what its server takes for a name.
 */

import { InvalidArgumentError } from '../errors.ts'
import type { Data } from '../types.ts'
import type { RelayOptions } from './relay.ts'

/** NATS has 4 KiB for the whole line of a command; in UTF-16 units. */
const LONGEST = 1024

export function checkTopic(call: string, topic: unknown): void {
  checkName(`${call}: topic`, topic)
}

export function checkMember(call: string, topic: unknown, member: unknown): void {
  checkTopic(call, topic)
  checkName(`${call}: member`, member)
}

function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST)
    throw new InvalidArgumentError(what, `text of 1 to ${LONGEST} characters`, name)
}

export function checkListener(call: string, listener: unknown): void {
  if (typeof listener !== 'function')
    throw new InvalidArgumentError(`${call}: listener`, 'a function', listener)
}

/** A whole number of at least 1. */
export function checkCount(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw new InvalidArgumentError(name, 'a whole number of at least 1', value)
  return value as number
}

/** The names of the options of every relay. */
export const RELAY_OPTIONS: readonly string[] = [
  'engine',
  'history',
  'history_age',
  'lease',
  'prefix',
] satisfies (keyof RelayOptions)[]

/** A name that any server takes as a part of its own. */
export const PLAIN = /^[A-Za-z0-9_-]{1,64}$/

export function checkPrefix(prefix: unknown = 'sluice'): string {
  if (typeof prefix === 'string' && PLAIN.test(prefix)) return prefix
  throw new InvalidArgumentError('prefix', 'a word of letters, digits, _ and -', prefix)
}

/** 0 means: from the beginning. */
export function checkSeq(seq: unknown): void {
  if (!Number.isSafeInteger(seq) || (seq as number) < 0)
    throw new InvalidArgumentError('read_after: seq', 'a whole number of at least 0', seq)
}

/** A copy: the caller may use its bytes again. */
export function toBuffer(call: string, data: Data): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof Uint8Array) return Buffer.from(data)
  throw new InvalidArgumentError(`${call}: data`, 'a string or bytes', data)
}
