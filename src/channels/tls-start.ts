/**
 * Layer 5. TlsStart: how one stream comes to speak TLS, from the first byte on or in the middle of
 * a connection.
 *
 * demand, or start → (the queue has gone out in clear) → begin → handshake → secured, or failed.
 *
 * Rules:
 * 1. From `start` on nothing that comes in clear is read, and what was not read by then is refused,
 *    never carried over into the encrypted session: whoever sits between the two could have put it
 *    behind the line that asks for TLS, and it would be taken for what the peer said under TLS (the
 *    class of CVE-2011-0411).
 * 2. What was written before goes out in clear, what is written after waits until the handshake is
 *    done and the peer verified.
 * 3. Every failure of a handshake, a timeout too, is told to `on_tls_handshake_error`, once.
 */

import type { SendItem } from '../core/send-item.ts'
import { codeOf, InvalidStateError, TlsError, TlsHandshakeError } from '../errors.ts'
import type { SystemError, TlsContext, Transport } from '../transport.ts'
import type { Cancel, Milliseconds } from '../types.ts'
import type { Life } from './life.ts'
import { timeOut } from './timeouts.ts'

/** What TLS begins with: the options, and whom to expect. */
export interface TlsDemand {
  readonly context: TlsContext
  readonly host: string
}

/** The link of the stream. */
export interface TlsOwner {
  readonly values: { readonly handshake_timeout: Milliseconds }
  /**
   * What speaks against it: bytes that came in clear and were not read, or that the peer has ended
   * its side.
   */
  readonly unasked: string | undefined
  /** The handshake has begun: everything goes through this transport from now on. */
  handOver(secure: (inner: Transport) => Transport): void
}

const demands = new WeakMap<Transport, TlsDemand>()

/**
 * From the first byte on: whoever takes this transport over, now or later, speaks TLS on it or not
 * at all.
 */
export function demandTls(transport: Transport, demand: TlsDemand): void {
  demands.set(transport, demand)
}

export function demandOf(transport: Transport): TlsDemand | undefined {
  return demands.get(transport)
}

/** "TLS starts here", as a thing to send. */
export class TlsStart implements SendItem {
  readonly size = 0
  readonly isLong = false
  readonly #life: Life
  readonly #owner: TlsOwner
  readonly #demand: TlsDemand
  #cancel: Cancel | undefined
  #isOver = false

  constructor(life: Life, owner: TlsOwner, demand: TlsDemand) {
    this.#life = life
    this.#owner = owner
    this.#demand = demand
  }

  send(transport: Transport): 'sent' | 'waits' | 'starved' {
    if (transport.tls !== undefined) return 'sent'
    if (transport.bytes_queued > 0) return 'waits'
    const { unasked } = this.#owner
    // Not at once: this may be inside a call of the program's.
    if (unasked !== undefined)
      this.#cancel = this.#life.channel.engine.callback(() => this.#refuse(unasked))
    else this.begin()
    return 'starved'
  }

  drop(): void {}

  begin(): void {
    const { context, host } = this.#demand
    this.#limit()
    this.#owner.handOver(inner => context.secure(inner, host))
  }

  #limit(): void {
    const { handshake_timeout } = this.#owner.values
    if (this.#isOver || handshake_timeout === Infinity) return
    this.#cancel = this.#life.drive.after(handshake_timeout, () => {
      timeOut(this.#life, 'handshake')
      // on_timeout may have let it go on.
      this.#limit()
    })
  }

  /** The handshake is over, or nobody waits for it any more. */
  stop(): void {
    this.#isOver = true
    this.#cancel?.()
  }

  #refuse(what: string): void {
    this.#life.fail(
      'on_tls_handshake_error',
      new TlsHandshakeError('ERR_TLS_UNASKED', `TLS was not started: ${what}`),
    )
  }
}

/** Tells of an error that is one of TLS. False: it is none. */
export function failTls(life: Life, error: SystemError): boolean {
  if (error.syscall === 'handshake')
    life.fail('on_tls_handshake_error', new TlsHandshakeError(codeOf(error), error.message, error))
  else if (error.syscall === 'tls')
    life.fail('on_tls_error', new TlsError(codeOf(error), error.message, error))
  else return false
  return true
}

export function tlsTwice(): InvalidStateError {
  return new InvalidStateError('start_tls()', 'TLS was started already', 'once is enough')
}
