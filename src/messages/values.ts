/**
 * Layer 8. Values of URL parameters: one function for each kind. It turns the text into a value, or
 * returns undefined if the text is invalid.
 *
 * A size or a duration must have a unit: a bare number would be read differently by each reader.
 */

import type { Bytes, Milliseconds } from '../types.ts'

/** How many bytes each unit is. With a unit of bits the size may have a fraction of a byte. */
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

/** A safe integer: decimal, or hexadecimal with the prefix 0x. */
export function parseInteger(text: string): number | undefined {
  const number = /^-?(\d+|0x[\da-f]+)$/i.test(text)
    ? Number(text.replace('-', '')) * (text.startsWith('-') ? -1 : 1)
    : NaN
  return Number.isSafeInteger(number) ? number + 0 : undefined
}

/** A signed integer of 64 bits, in the same forms: the sequence number of a message. */
export function parseSeq(text: string): bigint | undefined {
  const seq = /^-?(\d+|0x[\da-f]+)$/i.test(text)
    ? BigInt(text.replace('-', '')) * (text.startsWith('-') ? -1n : 1n)
    : undefined
  return seq === undefined || BigInt.asIntN(64, seq) !== seq ? undefined : seq
}

/**
 * A whole number with a unit: b, kb, mb, gb (steps of 1024), or bit, kbit, mbit, gbit (the same,
 * divided by 8). The result is in bytes.
 */
export function parseSize(text: string): Bytes | undefined {
  return withUnit(text, SIZES)
}

/** A whole number with a unit: ns, us, ms, s, m, h or d. The result is in milliseconds. */
export function parseDuration(text: string): Milliseconds | undefined {
  return withUnit(text, DURATIONS)
}

/** A number with a unit, which may have a fraction: `0.5s`, `1.5kb`. `parse` knows the units. */
export function parseDecimal(
  text: string,
  parse: (text: string) => number | undefined,
): number | undefined {
  const [, number, unit] = /^(\d+\.\d+)([a-z]+)$/.exec(text) ?? []
  const one = unit === undefined ? undefined : parse(`1${unit}`)
  return number === undefined ? parse(text) : one === undefined ? undefined : Number(number) * one
}

function withUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit] = /^(\d+)([a-z]+)$/.exec(text) ?? []
  if (number === undefined || !Object.hasOwn(units, unit as string)) return undefined
  // A unit below 1 is divided, not multiplied: 3 × 1e-6 would be 0.0000029999….
  const factor = units[unit as string] as number
  const value = factor < 1 ? Number(number) / Math.round(1 / factor) : Number(number) * factor
  return Number.isFinite(value) ? value : undefined
}
