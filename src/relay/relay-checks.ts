/**
 * Layer 8. What the calls of every relay refuse, by InvalidArgumentError.
 *
 * A topic is any text of up to 1 KiB: each relay makes of it what its server takes for a name.
 */

import { checkFunction, type Checks, having, instanceOf, wholeFrom } from '../core/checks.ts'
import { checkOptions } from '../core/options.ts'
import { Engine } from '../engine.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { Data, Milliseconds } from '../types.ts'
import type { Relay, RelayOptions, SubscribeOptions } from './relay.ts'

/** A name that any server takes as a part of its own. */
export const PLAIN = /^[A-Za-z0-9_-]{1,64}$/

const RELAY_CHECKS: Checks<RelayOptions> = {
  engine: instanceOf(Engine),
  history: wholeFrom(1),
  history_age: wholeFrom(1),
  lease: wholeFrom(1),
  prefix: (name, value) => {
    if (typeof value !== 'string' || !PLAIN.test(value))
      throw new InvalidArgumentError(name, 'a word of letters, digits, _ and -', value)
  },
}

const SUBSCRIBE_CHECKS: Checks<SubscribeOptions> = { on_gap: checkFunction }

/** The options of every relay, complete. */
export interface RelayValues {
  readonly engine: Engine
  readonly history: number
  readonly age: Milliseconds
  readonly lease: Milliseconds
  readonly prefix: string
}

/** NATS has 4 KiB for the whole line of a command; in UTF-16 units. */
const LONGEST = 1024

/** The options that every relay has. `own`: the checks of those that only this one has. */
export function relayValues(what: string, options: RelayOptions, own: object = {}): RelayValues {
  checkOptions(what, options, { ...RELAY_CHECKS, ...own })
  const { engine = Engine.instance(), history = 1000 } = options
  const { history_age: age = 3_600_000, lease = 15_000, prefix = 'sluice' } = options
  return { engine, history, age, lease, prefix }
}

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

const isRelay = having<Relay>('read_after', 'a Relay, or a URL such as redis://localhost')

/** What an option `relay` may be. */
export function checkRelay(name: string, value: unknown): Relay | string {
  return typeof value === 'string' ? value : isRelay(name, value)
}

/** What `watch` and `subscribe` are given. */
export function checkListener(
  call: string,
  topic: unknown,
  listener: unknown,
  options: unknown = {},
): void {
  checkTopic(call, topic)
  checkFunction(`${call}: listener`, listener)
  checkOptions(call, options, SUBSCRIBE_CHECKS)
}

const checkSeq = wholeFrom(0)
const checkLimit = wholeFrom(1)

/** The seq 0 means: from the beginning. */
export function checkReading(topic: unknown, seq: unknown, limit: unknown): void {
  checkTopic('read_after', topic)
  checkSeq('read_after: seq', seq)
  checkLimit('read_after: limit', limit)
}

/** A copy: the caller may use its bytes again. */
export function toBuffer(call: string, data: Data): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof Uint8Array) return Buffer.from(data)
  throw new InvalidArgumentError(`${call}: data`, 'a string or bytes', data)
}
