/**
 * Layer 9. Record: a message of a room on its way through the relay. It is one line of JSON that
 * says where it is from, and then the message as it was sent.
 */

import { Buffer } from 'node:buffer'

/** A message of a room, and where it is from. */
export interface RoomRecord {
  /** The number that its server gave it; no other record has it. */
  readonly id: string
  /** The `id` of the member that has sent it; '' if it is from the server itself. */
  readonly from: string
  /** The `client` that the member has joined with; '' if none. */
  readonly client: string
  /** May a slow member miss it? */
  readonly isVolatile: boolean
  /** What the members get. */
  readonly text: string
}

/**
 * The first entry of a room in which nothing was said yet. It has no message, but a number: a
 * member that joins has seen all up to it, so what is lost after it can be reported.
 */
export const BEGINNING = '-'

const LINE_END = 0x0a

export function packRecord({ id, from, client, isVolatile, text }: RoomRecord): string {
  return `${JSON.stringify([id, from, client, isVolatile ? 1 : 0])}\n${text}`
}

/** Returns undefined for anything else: other programs may write to the topic. */
export function unpackRecord(bytes: Buffer): RoomRecord | undefined {
  const end = bytes.indexOf(LINE_END)
  if (end === -1) return undefined
  try {
    const head = JSON.parse(bytes.toString('utf8', 0, end)) as unknown
    if (!Array.isArray(head)) return undefined
    const [id, from, client, flag] = head as unknown[]
    if (typeof id !== 'string' || typeof from !== 'string' || typeof client !== 'string')
      return undefined
    return { id, from, client, isVolatile: flag === 1, text: bytes.toString('utf8', end + 1) }
  } catch {
    return undefined
  }
}
