/**
 * Layer 8. The values that a URL may have: each kind is a function from text to the value, or to
 * undefined when the text is none.
 *
 * Sizes and durations have a unit, always: a bare number would mean something else to each reader.
 */

import type { Bytes, Milliseconds } from '../types.ts'

/**
 * Bytes of each unit; those of bits may leave a fraction, which is for the one who asks to refuse.
 */
const SIZES: Readonly<Record<string, Bytes>> = {
  b: 1,
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
  bit: 1 / 8,
  kbit: 2 ** 10 / 8,
  mbit: 2 ** 20 / 8,
  gbit: 2 ** 30 / 8,
}

const DURATIONS: Readonly<Record<string, Milliseconds>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  yes: true,
  true: true,
  1: true,
  no: false,
  false: false,
  0: false,
}

/** yes, true, 1, no, false or 0. */
export function parseBoolean(text: string): boolean | undefined {
  return Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined
}

/** Decimal, or hexadecimal behind 0x; exact. */
export function parseInteger(text: string): number | undefined {
  const number = /^-?(\d+|0x[\da-f]+)$/i.test(text)
    ? Number(text.replace('-', '')) * (text.startsWith('-') ? -1 : 1)
    : NaN
  return Number.isSafeInteger(number) ? number + 0 : undefined
}

/** The same with 64 bits: the number of a message in its sequence. */
export function parseSeq(text: string): bigint | undefined {
  const seq = /^-?(\d+|0x[\da-f]+)$/i.test(text)
    ? BigInt(text.replace('-', '')) * (text.startsWith('-') ? -1n : 1n)
    : undefined
  return seq === undefined || BigInt.asIntN(64, seq) !== seq ? undefined : seq
}

/**
 * A whole number and b, kb, mb, gb (of 1024), or bit, kbit, mbit, gbit, of which eight are a byte.
 */
export function parseSize(text: string): Bytes | undefined {
  return withUnit(text, SIZES)
}

/** A whole number and ns, us, ms, s, m, h or d; as milliseconds. */
export function parseDuration(text: string): Milliseconds | undefined {
  return withUnit(text, DURATIONS)
}

function withUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = /^(\d+)([a-z]+)$/.exec(text) ?? []
  if (number === undefined || !Object.hasOwn(units, unit as string)) return undefined
  // Fractions of a unit as a quotient: 3ns times 1e-6 would be 0.0000029999….
  const factor = units[unit as string] as number
  const value = factor < 1 ? Number(number) / Math.round(1 / factor) : Number(number) * factor
  return Number.isFinite(value) ? value : undefined
}
