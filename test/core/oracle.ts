/**
 * For the tests of the read path:
 * - a slow, obviously right implementation of every delimiter, which has the whole stream at once
 *   and starts at the beginning each time
 * - seeded randomness, and how many rounds of it are played
 * - ways to cut a stream into chunks
 */

import { Buffer } from 'node:buffer'
import type { Delimiter, ReadDelimiter } from '../../src/core/delimiters.ts'
import type { Encoding } from '../../src/types.ts'

export interface Rules {
  readonly delimiter: ReadDelimiter
  readonly encoding: Encoding | null
  readonly limit: number
  readonly regex_search?: boolean
}

/**
 * The first message from some byte on: the arguments of on_read, and the bytes that it takes.
 */
export type Outcome = 'more' | 'too long' | { readonly size: number; readonly data: unknown[] }

export const ENCODINGS: readonly (Encoding | null)[] = [
  null,
  'utf8',
  'latin1',
  'ascii',
  'utf16le',
  'base64',
  'hex',
]

/** The encoding of a delimiter that is a string: hex and base64 only show bytes as text. */
const wireEncoding = (encoding: Encoding | null): Encoding =>
  encoding === 'latin1' || encoding === 'ascii' || encoding === 'utf16le' ? encoding : 'utf8'

export function oracle(stream: Buffer, from: number, rules: Rules): Outcome {
  const { delimiter, encoding, limit } = rules
  const left = stream.subarray(from)
  if (delimiter === null)
    return left.length === 0 ? 'more' : { size: left.length, data: [decode(left, encoding)] }
  if (typeof delimiter === 'number') {
    return left.length < delimiter
      ? 'more'
      : { size: delimiter, data: [decode(left.subarray(0, delimiter), encoding)] }
  }
  if (typeof delimiter === 'string')
    return before(left, Buffer.from(delimiter, wireEncoding(encoding)), encoding, limit)
  if (delimiter instanceof Uint8Array) return before(left, Buffer.from(delimiter), encoding, limit)
  if (delimiter instanceof RegExp) return matched(left, rules)
  return framed(left, delimiter as Delimiter, encoding, limit)
}

/** The whole sequence of messages; 'too long' ends it. */
export function oracleAll(stream: Buffer, rules: Rules): unknown[][] {
  const reads: unknown[][] = []
  for (let at = 0; ;) {
    const outcome = oracle(stream, at, rules)
    if (outcome === 'more') return reads
    if (outcome === 'too long') return [...reads, ['too long']]
    reads.push(outcome.data)
    at += outcome.size
  }
}

function decode(bytes: Buffer, encoding: Encoding | null): Buffer | string {
  return encoding === null ? Buffer.from(bytes) : bytes.toString(encoding)
}

function before(left: Buffer, needle: Buffer, encoding: Encoding | null, limit: number): Outcome {
  const step = encoding === 'utf16le' ? 2 : 1
  for (let at = 0; at <= limit && at < left.length; at++) {
    const part = left.subarray(at, at + needle.length)
    if (at % step === 0 && part.equals(needle))
      return { size: at + needle.length, data: [decode(left.subarray(0, at), encoding)] }
    // The last bytes may be the beginning of the delimiter.
    if (part.length < needle.length && part.equals(needle.subarray(0, part.length))) return 'more'
  }
  return left.length > limit ? 'too long' : 'more'
}

function matched(
  left: Buffer,
  { delimiter, encoding, limit, regex_search = true }: Rules,
): Outcome {
  const { source, flags } = delimiter as RegExp
  const match = new RegExp(source, flags.replace(/[gy]/g, '')).exec(left.toString('latin1'))
  if (match === null || (!regex_search && match.index !== 0))
    return left.length > limit ? 'too long' : 'more'
  const size = match.index + match[0].length
  if (size > limit + 1) return 'too long'
  if (regex_search) return { size, data: [decode(left.subarray(0, match.index), encoding)] }
  return {
    size,
    data: [match.map(each => Buffer.from(each, 'latin1').toString(encoding ?? 'latin1'))],
  }
}

function framed(
  left: Buffer,
  delimiter: Delimiter,
  encoding: Encoding | null,
  limit: number,
): Outcome {
  if (left.length === 0) return 'more'
  const most = Math.max(limit, delimiter.needs ?? 0)
  // In memory of its own, so that it cannot look beyond the end.
  const bytes = Buffer.from(left.subarray(0, most))
  const cut = delimiter.cut(bytes, 0, bytes.length)
  const size = typeof cut === 'number' ? cut : cut.size
  if (size > most) return 'too long'
  if (typeof cut === 'number') return 'more'
  return {
    size,
    data: cut.data.map(each =>
      each instanceof Buffer && delimiter.text === true ? decode(each, encoding) : each,
    ),
  }
}

// ---- streams and chunks -------------------------------------------------------------------------

export type Random = (below: number) => number

/** Integers from 0 to `below` - 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  return below => {
    seed = (seed + 0x6d2b79f5) | 0
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/**
 * How many rounds of something random are played: a few, which take no time. ROUNDS=20 in the
 * environment makes it twenty times as many.
 */
export const rounds = (few: number): number => few * Number(process.env.ROUNDS ?? 1)

export const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T

/** A stream of `pieces` (text is UTF-8) in random order, at least `size` bytes of it. */
export function streamOf(
  random: Random,
  size: number,
  pieces: readonly (string | Buffer)[],
): Buffer {
  const parts: Buffer[] = []
  for (let have = 0; have < size;) {
    const piece = pick(random, pieces)
    const part = typeof piece === 'string' ? Buffer.from(piece) : piece
    parts.push(part)
    have += part.length
  }
  return Buffer.concat(parts)
}

/** The stream in chunks, each in memory of its own as those of a socket are. */
export function chunked(stream: Buffer, next: () => number): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < stream.length;) {
    const chunk = Buffer.from(stream.subarray(at, at + next()))
    chunks.push(chunk)
    at += chunk.length
  }
  return chunks
}

/** One chunk; one byte at a time; small and large random chunks; chunks as large as Node's. */
export function chunkings(stream: Buffer, random: Random): [name: string, chunks: Buffer[]][] {
  return [
    ['one chunk', [Buffer.from(stream)]],
    ['one byte at a time', chunked(stream, () => 1)],
    ['small chunks', chunked(stream, () => 1 + random(7))],
    ['random chunks', chunked(stream, () => 1 + random(2 ** (1 + random(12))))],
    ['chunks of 64 KiB', chunked(stream, () => 65536)],
  ]
}

/** One line that shows exactly what was delivered: its type and every byte. */
export function line(data: readonly unknown[]): string {
  return data
    .map(each => {
      if (Buffer.isBuffer(each)) return `<${each.toString('latin1')}>`
      return Array.isArray(each) ? `[${line(each)}]` : `${typeof each} ${String(each)}`
    })
    .join(' | ')
}

/**
 * '' if both are the same; if not, where they begin to differ. (A test that compares a million
 * reads one by one takes minutes.)
 */
export function difference(got: readonly unknown[][], wanted: readonly unknown[][]): string {
  const short = (data: unknown[] | undefined) =>
    data === undefined ? 'nothing' : JSON.stringify(line(data).slice(0, 120))
  for (let i = 0; i < Math.max(got.length, wanted.length); i++) {
    const [a, b] = [got[i], wanted[i]]
    if (a === undefined || b === undefined || line(a) !== line(b))
      return `#${i}: got ${short(a)}, wanted ${short(b)}`
  }
  return ''
}
