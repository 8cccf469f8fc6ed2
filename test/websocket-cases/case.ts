/**
 * Cases of the Autobahn testsuite, by its published numbers, as tables: what is sent, and what has
 * to come. (The suite itself is a program for Python 2.) Payloads are our own.
 *
 * Groups 1 to 7 and 10 are in framing.ts, utf8.ts and closing.ts; 9, 12 and 13 are in traffic.ts.
 * Informational cases are left out: they have no right answer.
 */

import { Buffer } from 'node:buffer'

export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** A frame that is sent; whether it is masked is a matter of the direction. */
export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
  readonly fin: boolean
  readonly rsv: number
}

/** A message or a control frame that has to come. */
export interface Expected {
  readonly opcode: number
  readonly payload: Buffer
}

/** What is sent, and what has to come before the next step. */
export interface Step {
  readonly send: readonly Frame[]
  /** In how many bytes at a time; undefined: all at once. */
  readonly chop?: number | undefined
  readonly get: readonly Expected[]
  /** The last bytes that are never sent. */
  readonly kept?: number
}

/** Messages that are sent one after the other, each when the one before has come back. */
export interface Traffic {
  readonly count: number
  message(index: number): Expected
  /** The longest fragment; undefined: no fragments. */
  readonly fragment?: number
}

/** How compression is negotiated: what the other side is asked for. */
export interface Terms {
  readonly isForgetful: boolean
  /** 0: not said. */
  readonly bits: number
}

export interface Case {
  readonly id: string
  readonly steps: readonly Step[]
  /**
   * The code with which the peer has to close by itself. Undefined: we close with 1000, and it
   * answers with that. 1005: it answers without a code.
   */
  readonly closes?: number
  readonly traffic?: Traffic
  /** In the order of preference; undefined: no compression. */
  readonly deflate?: readonly Terms[]
}

export function frame(
  opcode: number,
  payload: string | Uint8Array = '',
  { fin = true, rsv = 0 }: { fin?: boolean; rsv?: number } = {},
): Frame {
  return { opcode, payload: Buffer.from(payload as string), fin, rsv }
}

/** A message in pieces. */
export function fragments(opcode: number, ...pieces: (string | Uint8Array)[]): Frame[] {
  return pieces.map((piece, i) =>
    frame(i === 0 ? opcode : CONTINUATION, piece, { fin: i === pieces.length - 1 }),
  )
}

/** Sends that, and gets that. */
export function step(send: readonly Frame[], get: readonly Expected[] = [], chop?: number): Step {
  return { send, get, chop }
}

/** The message comes back. */
export function echoed(opcode: number, payload: string | Uint8Array, chop?: number): Step {
  const whole = frame(opcode, payload)
  return step([whole], [whole], chop)
}
