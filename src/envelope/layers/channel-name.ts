/**
 * Layer 9. The names under which consumers are reached, and those of groups.
 *
 * A name is `PREFIX.PROCESS!NUMBER`. The part before the '!' is the same for all consumers of a
 * process: a layer subscribes to it once.
 */

import { checkText } from '../../core/checks.ts'
import { InvalidArgumentError } from '../../errors.ts'

/** The id of this process. No other process has the same. */
const PROCESS = globalThis.crypto.randomUUID().replaceAll('-', '').slice(0, 12)

let count = 0

/** A name that no other consumer has, in any process. Throws InvalidArgumentError. */
export function new_channel_name(prefix: string): string {
  checkText('new_channel_name: prefix', prefix)
  return checkName('new_channel_name: prefix', `${prefix}.${PROCESS}!${(++count).toString(36)}`)
}

/** The part of a name that belongs to its process. */
export function processOf(channel_name: string): string {
  return channel_name.slice(0, channel_name.indexOf('!') >>> 0)
}

// Source: Django Channels, names of channels and groups.
const NAME = /^[a-zA-Z\d\-_.]+(![\w\-.]*)?$/

/** The longest name, in characters. */
const LONGEST = 99

/** Throws InvalidArgumentError unless it is a valid name. Returns it. */
export function checkName(what: string, name: unknown): string {
  if (typeof name !== 'string' || name.length > LONGEST || !NAME.test(name))
    throw new InvalidArgumentError(
      what,
      `a name of up to ${LONGEST} letters, digits and any of -_.`,
      name,
    )
  return name
}
