/**
 * Layer 2. What is below a TLSSocket: what it may be, and what that of a server was made of. (A
 * tls.Server reports a handshake with its TLSSocket, which is new to whoever handed the connection
 * in.)
 *
 * What is used of the runtime beyond its documentation (checked with Node 20, 22, 24 and 26, Bun
 * 1.4 and Deno 2.9 on Linux):
 * - `_parent`: the socket. Over any other Duplex it is null.
 * - Node and Deno put an object between the handle of the TLSSocket and a Duplex; its `stream` is
 *   the Duplex.
 * - Bun keeps the Duplex in a property of the TLSSocket, whose name is a symbol `kupgraded`.
 */

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { UnsupportedOptionError } from '../../errors.ts'
import type { Handshake } from '../tls-transport.ts'

interface Made {
  readonly _parent?: Duplex | null
  readonly _handle?: { readonly _parentWrap?: { readonly stream?: Duplex } } | null
  readonly [name: symbol]: Duplex
}

/** The socket or Duplex; undefined if the TLSSocket has closed and the runtime has forgotten it. */
export function belowOf(socket: TLSSocket): Duplex | undefined {
  const made = socket as unknown as Made
  return made._parent ?? made._handle?._parentWrap?.stream ?? upgraded(made)
}

function upgraded(made: Made): Duplex | undefined {
  const name = Object.getOwnPropertySymbols(made).find(each => each.description === 'kupgraded')
  return name && made[name]
}

/**
 * The same handshake, if it can be done over what is below. It fails with UnsupportedOptionError
 * over a Duplex on Bun: what is sent to a peer that has ended its side gets lost there.
 */
export function overSockets(
  begin: Handshake,
  { bun }: NodeJS.Dict<string> = process.versions,
): Handshake {
  if (bun === undefined) return begin
  return (below, sink) => {
    if (below instanceof Socket) return begin(below, sink)
    const needs =
      `a TCP or unix socket: over any other stream, Bun ${bun} loses what is sent after ` +
      'the end of the peer. Use the default network, or run this on Node'
    queueMicrotask(() => sink.failed(new UnsupportedOptionError('tls', needs)))
  }
}
