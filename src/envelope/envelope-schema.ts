/**
 * Layer 9. EnvelopeSchema: says which short keys the messages of an envelope have, and checks them.
 *
 * | key | also | meaning |
 * |---|---|---|
 * | `t` | | the type of the message; the only key that is required |
 * | `p` | | the payload: an object, or null |
 * | `i` | `id` | the trace id, at most 20 characters |
 * | `s` | `state` | the state of an answer, at most 6 characters |
 * | `l` | `language` | the language of the sender, at most 20 characters |
 *
 * Rules:
 * 1. Other keys are ignored. A number is taken for its text.
 * 2. The long name of a key wins, and is the one that an error names.
 */

import { checkName, type Checks, oneOf } from '../core/checks.ts'
import { checkOptions } from '../core/options.ts'
import { ValidationError } from './errors.ts'
import type { MessageMeta } from './meta.ts'
import { type Fault, inside, isNone, notPermitted, wrong } from './schema/faults.ts'

/** The keys of an envelope. What is absent is null. */
export interface EnvelopeData {
  /** The type of the message. */
  t: string
  /** The payload. */
  p: Record<string, unknown> | null
  /** The trace id. */
  i: string | null
  /** The state of an answer. */
  s?: string | null
  /** The language of the sender. */
  l?: string | null
}

/** The longest values, in characters. */
const LONGEST = { i: 20, l: 20, s: 6 } as const

/** Which keys there are besides `t`, `p` and `i`. */
export interface EnvelopeSchemaOptions {
  /** Its name, for errors. */
  readonly name: string
  /** Is there a state? 'f': it is always that one. */
  readonly state?: boolean | 'f' | undefined
  /** Is there a language? 'own': it is read, but sent only for messages that were made here. */
  readonly language?: boolean | 'own' | undefined
}

const CHECKS: Checks<EnvelopeSchemaOptions> = {
  name: checkName,
  state: oneOf<boolean | 'f'>(false, true, 'f'),
  language: oneOf<boolean | 'own'>(false, true, 'own'),
}

/** Says which keys the messages of an envelope have. There are five; see their docstrings. */
export class EnvelopeSchema {
  /** Its name, for errors. */
  readonly name: string
  readonly #state: boolean | 'f'
  readonly #language: boolean | 'own'

  /** Throws InvalidArgumentError for an invalid option. */
  constructor(options: EnvelopeSchemaOptions) {
    checkOptions('new EnvelopeSchema', options, CHECKS, ['name'])
    const { name, state = false, language = false } = options
    this.name = name
    this.#state = state
    this.#language = language
  }

  /**
   * Checks the keys of a message that was received. Throws ValidationError (ERR_VALIDATION). The
   * payload is not checked here.
   */
  check(value: unknown): EnvelopeData {
    const faults: Fault[] = []
    const given = this.#object(value, faults)
    if (given === undefined) throw new ValidationError(this.name, faults)
    const t = this.#type(given, faults)
    const p = payloadOf(given['p'], faults)
    const i = shortText(given['id'], given['i'], 'i', 'id', faults)
    const data: EnvelopeData = { t, p, i }
    if (this.#state !== false) data.s = this.#stateOf(given, faults)
    if (this.#language !== false)
      data.l = shortText(given['language'], given['l'], 'l', 'language', faults)
    if (faults.length > 0) throw new ValidationError(this.name, faults)
    return data
  }

  /**
   * An empty list or text counts as an empty object: the original makes an object of any list of
   * pairs.
   */
  #object(value: unknown, faults: Fault[]): Record<string, unknown> | undefined {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
    if (value === '' || (Array.isArray(value) && value.length === 0)) return {}
    wrong(faults, 'type_error', `${this.name} expected dict not ${kindOf(value)}`)
    inside(faults, 0, '__root__')
    return undefined
  }

  #type({ t }: Record<string, unknown>, faults: Fault[]): string {
    if (typeof t === 'string') return t
    const text = textOf(t)
    if (text !== undefined) return text
    const before = faults.length
    if (t === undefined) wrong(faults, 'value_error.missing', 'field required')
    else if (t === null) isNone(faults)
    else wrong(faults, 'type_error.str', 'str type expected')
    inside(faults, before, 't')
    return ''
  }

  #stateOf(given: Record<string, unknown>, faults: Fault[]): string | null {
    if (this.#state !== 'f') return shortText(given['state'], given['s'], 's', 'state', faults)
    const state = given['state'] ?? given['s'] ?? 'f'
    if (state === 'f') return 'f'
    const before = faults.length
    notPermitted(faults, state, ['f'])
    inside(faults, before, 'state')
    return null
  }

  /**
   * The keys of a message that is sent, in the order of the wire: t, p, i, s, l. Throws
   * ValidationError if one is too long.
   */
  make(t: string, p: unknown, mm: MessageMeta): EnvelopeData {
    const { id: i, state, language: l } = mm
    const payload = p as EnvelopeData['p']
    const s = this.#state === 'f' ? 'f' : state
    if (isLong('i', i) || isLong('s', s) || isLong('l', l)) return this.check({ t, p, i, s, l })
    if (this.#state === false)
      return this.#language === false ? { t, p: payload, i } : { t, p: payload, i, l }
    if (this.#language === false || l === null || mm.env !== null) return { t, p: payload, i, s }
    return { t, p: payload, i, s, l }
  }
}

function isLong(key: keyof typeof LONGEST, value: string | null): boolean {
  return value !== null && value.length > LONGEST[key]
}

function payloadOf(value: unknown, faults: Fault[]): EnvelopeData['p'] {
  if (value === undefined || value === null) return null
  if (typeof value === 'object' && !Array.isArray(value)) return value as EnvelopeData['p']
  if (value === '' || (Array.isArray(value) && value.length === 0)) return {}
  const before = faults.length
  wrong(faults, 'type_error.dict', 'value is not a valid dict')
  inside(faults, before, 'p')
  return null
}

function shortText(
  longer: unknown,
  shorter: unknown,
  key: keyof typeof LONGEST,
  long: string,
  faults: Fault[],
): string | null {
  const value = longer === undefined ? shorter : longer
  if (value === undefined || value === null) return null
  const text = textOf(value)
  if (text !== undefined && (text.length <= LONGEST[key] || [...text].length <= LONGEST[key]))
    return text
  const before = faults.length
  const limit_value = LONGEST[key]
  const msg = `ensure this value has at most ${limit_value} characters`
  if (text === undefined) wrong(faults, 'type_error.str', 'str type expected')
  else wrong(faults, 'value_error.any_str.max_length', msg, { limit_value })
  inside(faults, before, long)
  return null
}

/** Numbers and booleans as the original writes them. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return undefined
}

/** The word of the original for a kind of value. */
function kindOf(value: unknown): string {
  if (value === null) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  return Number.isInteger(value) ? 'int' : 'float'
}

/** The keys t, p and i: inside a program. */
export const envelope_schema: EnvelopeSchema = new EnvelopeSchema({ name: 'EnvelopeSchema' })

/** With a language: what a user sends. */
export const incoming_schema: EnvelopeSchema = new EnvelopeSchema({
  name: 'IncomingEnvelopeSchema',
  language: true,
})

/** With a state: what a user gets. */
export const outgoing_schema: EnvelopeSchema = new EnvelopeSchema({
  name: 'OutgoingEnvelopeSchema',
  state: true,
})

/** With the state 'f': errors. */
export const error_schema: EnvelopeSchema = new EnvelopeSchema({
  name: 'ErrorEnvelopeSchema',
  state: 'f',
})

/** With a state and a language: the default of an envelope of yours, in either direction. */
export const full_schema: EnvelopeSchema = new EnvelopeSchema({
  name: 'EnvelopeSchema',
  state: true,
  language: 'own',
})
