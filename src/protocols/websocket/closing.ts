/**
 * Layer 7. Closing: the handshake that ends a WebSocket connection (RFC 6455, section 7), and the
 * codes that say why.
 *
 *     open ──we send──► sent ──the peer answers──► done
 *       └──the peer sends──► received ──we answer──► done
 */

import { Buffer, isUtf8 } from 'node:buffer'
import { InvalidArgumentError } from '../../errors.ts'
import { CONTROL_MAX } from './frames.ts'
import { Fault } from './incoming.ts'

/** How far closing has come. */
export type Stage = 'open' | 'sent' | 'received' | 'done'

/** A close frame goes out ('send'), or has come ('receive'). What is not here has no effect. */
const NEXT: Readonly<Record<Stage, { readonly send?: Stage; readonly receive?: Stage }>> = {
  open: { send: 'sent', receive: 'received' },
  sent: { receive: 'done' },
  received: { send: 'done' },
  done: {},
}

export function nextStage(stage: Stage, event: 'send' | 'receive'): Stage {
  return NEXT[stage][event] ?? stage
}

/** Codes that are told, and never sent: no code came; no close frame came. */
export const NO_CODE = 1005
export const ABNORMAL = 1006

/** What we send without being asked. */
export const NORMAL = 1000
export const GOING_AWAY = 1001
export const INTERNAL_ERROR = 1011

/**
 * The codes that a close frame may have; the registry of IANA has added 1012 to 1014. From 3000 on
 * they are those of libraries and programs.
 */
const SENT: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
])
const LEAST_OWN = 3000
const MOST_OWN = 4999

/** The longest reason: a control frame, without its code. */
const REASON_MAX = CONTROL_MAX - 2

function isSent(code: number): boolean {
  return SENT.has(code) || (Number.isInteger(code) && code >= LEAST_OWN && code <= MOST_OWN)
}

/** Why a connection closes. */
export interface Goodbye {
  readonly code: number
  readonly reason: string
}

/** Throws InvalidArgumentError for a code that must not be sent, or a reason that is too long. */
export function checkGoodbye(code: unknown, reason: unknown, call = 'end'): Goodbye {
  if (typeof code !== 'number' || !isSent(code))
    throw new InvalidArgumentError(
      `${call}: code`,
      '1000 to 1003, 1007 to 1014 or 3000 to 4999: no other may be sent',
      code,
    )
  if (typeof reason !== 'string' || Buffer.byteLength(reason) > REASON_MAX)
    throw new InvalidArgumentError(
      `${call}: reason`,
      `a string of at most ${REASON_MAX} bytes in UTF-8`,
      reason,
    )
  return { code, reason }
}

/** The payload of a close frame. */
export function packGoodbye({ code, reason }: Goodbye): Buffer {
  if (code === NO_CODE) return Buffer.alloc(0)
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return payload
}

/** What the payload of a close frame says, or what is wrong with it. */
export function readGoodbye(payload: Buffer): Goodbye | Fault {
  if (payload.length === 0) return { code: NO_CODE, reason: '' }
  if (payload.length === 1) return new Fault(1002, 'a close frame has no code, or two bytes of it')
  const code = payload.readUInt16BE()
  if (!isSent(code)) return new Fault(1002, `a close frame must not have the code ${code}`)
  const reason = payload.subarray(2)
  return isUtf8(reason)
    ? { code, reason: reason.toString() }
    : new Fault(1007, 'the reason of a close frame must be UTF-8')
}
