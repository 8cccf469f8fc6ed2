/**
 * Layer 2. What a handle is given with a write, and what it answers.
 *
 * Up to Node 24 each write takes a request, and answers with 0 or an error. The request is used
 * only if the system did not take everything. Since Node 26 a write takes null, and answers with a
 * request if the system did not take everything.
 */

import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { SystemError } from '../../transport.ts'
import { type HandleRequest, rules } from './handles.ts'

/** A request that keeps the memory that is being written. */
export interface WriteRequest extends HandleRequest {
  data?: unknown
}

/** Made ahead, up to Node 24. A write that the system takes at once leaves it as it was. */
export const ahead: { request: WriteRequest | null } = { request: null }

/** The request for the next write. */
export function nextRequest(): WriteRequest | null {
  if (rules.WriteRequest === undefined) return null
  ahead.request ??= new rules.WriteRequest()
  return ahead.request
}

/**
 * The request of the last write, whose answer was 0, if it is under way: the next write gets
 * another one. Undefined: the system took everything.
 *
 * The request itself is asked. The queue of the handle may be empty although it is under way: the
 * system may have taken the rest when libuv tried a second time, and libuv reports that later.
 */
export function requestUnderWay(): WriteRequest | undefined {
  const { request } = ahead
  if (request === null || !isUnderWay(request)) return undefined
  ahead.request = null
  return request
}

function isUnderWay(request: WriteRequest): boolean {
  return request.getAsyncId() >= 0
}

/**
 * The status of a request that will not report one; undefined if it will. Since Node 26 a request
 * is answered, too, if it was complete at once, or if libuv refused it. In the second case only
 * Node's own code knows why: a pipe that is broken is the one reason that is possible here.
 */
export function statusOf(request: WriteRequest): number | undefined {
  if (typeof request.writeStatus === 'number') return request.writeStatus
  return isUnderWay(request) ? undefined : -constants.errno.EPIPE
}

/** What was corked, data and encoding in turn, as `writev` takes it: bytes are a 'buffer'. */
export function chunksOf(corked: readonly (string | Uint8Array)[]): unknown[] {
  const isBytes = (at: number): boolean => typeof corked[at] !== 'string'
  return corked.map((each, at) => (at % 2 === 1 && isBytes(at - 1) ? 'buffer' : each))
}

/** Did the system say that the peer has gone already? */
export function isNotConnected(status: number): boolean {
  return status === -constants.errno.ENOTCONN
}

/** The error that Node makes of a negative status. */
export function systemError(status: number, syscall: string): SystemError {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall })
}
