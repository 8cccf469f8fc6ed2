/**
 * Layer 4. What a program must not do with a Stream: each function throws if it is done all the
 * same. (A mistake of the program is thrown at the call; what goes wrong in the world is told to a
 * hook.)
 */

import { checkClosed } from '../../core/checks.ts'
import { InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import type { Transport } from '../../transport.ts'
import type { State } from '../../types.ts'

/** To connect a stream that is open, or that a server accepted. */
export function checkMayConnect(state: State, isAccepted: boolean, call = 'connect()'): void {
  if (isAccepted)
    throw new InvalidStateError(call, 'this stream was accepted by a server', 'a Client connects')
  checkClosed(call, 'stream', state)
}

/** To take over anything but a connection, or one that is taken already. */
export function checkSocket(socket: Transport, isTaken: boolean, name: string): void {
  // A socket of Node's has `resume` as well. None of its events would ever be heard.
  if (typeof socket?.set_no_delay !== 'function')
    throw new InvalidArgumentError(
      'socket',
      'a connection that on_accept got, not a socket of node:net',
      socket,
    )
  if (isTaken)
    throw new InvalidStateError(
      `new ${name}`,
      'its socket was taken over already',
      'make one channel of each',
    )
}

/** To start TLS on a stream that ends. */
export function checkMayStartTls(state: State, isAccepted: boolean): void {
  const isOver = state === 'closing' || state === 'error' || (state === 'closed' && isAccepted)
  if (isOver)
    throw new InvalidStateError(
      'start_tls()',
      `the stream is ${state}`,
      'start TLS while it is open, or before it is',
    )
}

/** To go around a protocol that has messages and goodbyes of its own, as WebSocket does. */
export function protocolOnly(call: string): InvalidStateError {
  return new InvalidStateError(
    call,
    'the protocol of this stream does that itself',
    'use its hooks, and end()',
  )
}

/** To write before the stream is connected. */
export function notConnected(call: string): InvalidStateError {
  return new InvalidStateError(
    call,
    'the stream is not connected',
    'connect() it first; a Connection waits for on_connect',
  )
}
