/**
 * Layer 7. Shapes: replies of RESP2 and RESP3 as the one value that a program gets.
 *
 * What is a map in RESP3 is an array of keys and values in RESP2, except for streams: those are
 * pairs there, and the fields of an entry are an array in both.
 */

import type { Buffer } from 'node:buffer'
import type { Reply } from './reply.ts'

/** An entry of a stream. */
export interface StreamEntry<Text extends string | Buffer = string> {
  /** Its id: `1700000000000-0`. */
  readonly id: string
  /**
   * Its fields. If a name is there twice, the last one counts. An entry that is pending in a group
   * and was deleted from the stream has none.
   */
  readonly fields: Record<string, Text>
}

/** A map, as an object. */
export function recordOf<Text>(reply: Reply): Record<string, Text> {
  const entries = reply instanceof Map ? [...reply] : pairsOf(reply)
  return Object.fromEntries(entries.map(([key, value]) => [String(key), value as Text]))
}

function pairsOf(flat: Reply): [Reply, Reply][] {
  if (!Array.isArray(flat)) throw new TypeError('it is no array')
  const pairs: [Reply, Reply][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!])
  return pairs
}

/** The entries of a stream. (One that was deleted, and is still pending, has no fields.) */
export function entriesOf<Text extends string | Buffer>(reply: Reply): StreamEntry<Text>[] {
  const entries = reply as readonly (readonly [Reply, readonly Reply[] | null] | null)[]
  return entries
    .filter(entry => entry !== null)
    .map(([id, fields]) => ({ id: String(id), fields: recordOf<Text>(fields ?? []) }))
}

/** Streams by their keys; null is none. */
export function streamsOf<Text extends string | Buffer>(
  reply: Reply,
): Record<string, StreamEntry<Text>[]> {
  const pairs = reply instanceof Map ? [...reply] : ((reply ?? []) as [Reply, Reply][])
  return Object.fromEntries(pairs.map(([key, list]) => [String(key), entriesOf<Text>(list)]))
}
