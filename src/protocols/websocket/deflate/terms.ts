/**
 * Layer 7. Terms: what both ends agree on for permessage-deflate (RFC 7692, section 7.1).
 *
 * offerOf (client) → answerTo (server) → readAnswer (client)
 */

import type { DeflateRules } from './deflate-options.ts'
import { type Extension, formatExtension, parseExtensions } from './extensions.ts'

/** For each side: does it forget what it sent before, and how far does it look back? */
export interface Terms {
  readonly server: { readonly forgets: boolean; readonly bits: number }
  readonly client: { readonly forgets: boolean; readonly bits: number }
}

const NAME = 'permessage-deflate'
const MOST = 15

const SERVER_FORGETS = 'server_no_context_takeover'
const CLIENT_FORGETS = 'client_no_context_takeover'
const SERVER_BITS = 'server_max_window_bits'
const CLIENT_BITS = 'client_max_window_bits'
const KNOWN = [SERVER_FORGETS, CLIENT_FORGETS, SERVER_BITS, CLIENT_BITS]

function format(parameters: [string, string | undefined][]): string {
  return formatExtension({ name: NAME, parameters: new Map(parameters) })
}

/** What a client offers. It never asks for 8 bits, which some servers answer with an error. */
export function offerOf(rules: DeflateRules): string {
  const { server_max_window_bits, client_max_window_bits } = rules
  const parameters: [string, string | undefined][] = []
  if (rules.server_no_context_takeover) parameters.push([SERVER_FORGETS, undefined])
  if (rules.client_no_context_takeover) parameters.push([CLIENT_FORGETS, undefined])
  if (server_max_window_bits < MOST) parameters.push([SERVER_BITS, `${server_max_window_bits}`])
  const bits = client_max_window_bits < MOST ? `${client_max_window_bits}` : undefined
  return format([...parameters, [CLIENT_BITS, bits]])
}

/**
 * What a server answers to what is offered, and what holds then; undefined if it agrees to nothing.
 * The first offer that can be agreed to is taken.
 */
export function answerTo(
  offers: string,
  rules: DeflateRules,
): { readonly text: string; readonly terms: Terms } | undefined {
  const offer = parseExtensions(offers)?.find(each => isValid(each, true))
  if (offer === undefined) return undefined
  const { parameters } = offer
  const serverBits = bitsOf(parameters, SERVER_BITS, rules.server_max_window_bits)
  const clientBits = bitsOf(parameters, CLIENT_BITS, rules.client_max_window_bits)
  // Only a client that knows the parameter can be held to it.
  const isClientBound = parameters.has(CLIENT_BITS)
  const terms: Terms = {
    server: { forgets: rules[SERVER_FORGETS] || parameters.has(SERVER_FORGETS), bits: serverBits },
    client: {
      forgets: rules[CLIENT_FORGETS] || parameters.has(CLIENT_FORGETS),
      bits: isClientBound ? clientBits : MOST,
    },
  }
  const answer: [string, string | undefined][] = []
  if (terms.server.forgets) answer.push([SERVER_FORGETS, undefined])
  if (terms.client.forgets) answer.push([CLIENT_FORGETS, undefined])
  if (serverBits < MOST) answer.push([SERVER_BITS, `${serverBits}`])
  if (terms.client.bits < MOST) answer.push([CLIENT_BITS, `${clientBits}`])
  return { text: format(answer), terms }
}

/** What a client is bound to by the answer; undefined if the answer is invalid. */
export function readAnswer(text: string, rules: DeflateRules): Terms | undefined {
  const all = parseExtensions(text)
  const answer = all?.[0]
  if (answer === undefined || all?.length !== 1 || !isValid(answer, false)) return undefined
  const { parameters } = answer
  const serverBits = Number(parameters.get(SERVER_BITS) ?? MOST)
  const clientBits = Number(parameters.get(CLIENT_BITS) ?? MOST)
  const keeps =
    serverBits <= rules.server_max_window_bits &&
    (!rules.server_no_context_takeover || parameters.has(SERVER_FORGETS))
  if (!keeps) return undefined
  return {
    server: { forgets: parameters.has(SERVER_FORGETS), bits: serverBits },
    client: {
      forgets: rules.client_no_context_takeover || parameters.has(CLIENT_FORGETS),
      bits: Math.min(clientBits, rules.client_max_window_bits),
    },
  }
}

function bitsOf(parameters: Extension['parameters'], name: string, most: number): number {
  return Math.min(Number(parameters.get(name) ?? MOST), most)
}

/** In an offer, `client_max_window_bits` may stand alone. */
function isValid({ name, parameters }: Extension, isOffer: boolean): boolean {
  return (
    name === NAME &&
    [...parameters].every(([key, value]) => {
      if (!KNOWN.includes(key)) return false
      if (key === SERVER_FORGETS || key === CLIENT_FORGETS) return value === undefined
      if (value === undefined) return isOffer && key === CLIENT_BITS
      return /^(?:[89]|1[0-5])$/.test(value)
    })
  )
}
