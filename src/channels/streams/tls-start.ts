/**
 * Layer 5. TlsStart: how one stream comes to speak TLS, from the first byte on or in the middle of
 * a connection.
 *
 * From the first byte on: made → the transport is open → begin → handshake → stop.
 * In the middle: made → send, when the queue has gone out in clear → begin → handshake → secured.
 *
 * Rules:
 * 1. Once TLS was asked for, nothing that comes in clear is read. Bytes that were not read by then
 *    are refused, and never carried over into the encrypted session. An attacker in the middle
 *    could have put them after the line that asks for TLS, and they would be taken for what the
 *    peer said under TLS (the class of CVE-2011-0411).
 * 2. What was written before goes out in clear. What is written after waits until the handshake is
 *    done and the peer is verified.
 * 3. Every failure of a handshake is reported to `on_tls_handshake_error` once; so is its timeout.
 */

import type { SendItem } from '../../core/writing/send-item.ts'
import { InvalidStateError, TlsHandshakeError } from '../../errors.ts'
import type { Endpoint, TlsContext, TlsOptions, Transport, TransportSink } from '../../transport.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import type { Life } from '../life.ts'
import { timeOut } from '../timeouts.ts'
import type { StreamReading } from './stream-reading.ts'
import type { StreamWriting } from './stream-writing.ts'
import { contextFor } from './tls-contexts.ts'

/** What TLS begins with: the options, and the host that the peer must prove to be. */
export interface TlsDemand {
  readonly context: TlsContext
  readonly host: string
}

/** What TLS of this stream begins with. */
export function demandOf(
  link: { readonly life: Life; readonly target: Endpoint | undefined; isAccepted: boolean },
  options: TlsOptions,
): TlsDemand {
  const { life, target, isAccepted } = link
  const host = target?.kind === 'ip' && target.host !== '' ? target.host : 'localhost'
  return { context: contextFor(life.drive.tls, isAccepted ? 'server' : 'client', options), host }
}

/** The link of the stream. */
export interface TlsOwner extends TransportSink {
  readonly life: Life
  readonly values: { readonly handshake_timeout: Milliseconds }
  readonly reading: Pick<StreamReading, 'unread' | 'serve' | 'release'>
  readonly writing: Pick<StreamWriting, 'serve'>
  /** Where all bytes go through; begin() puts TLS in its place. */
  transport: Transport | undefined
  readonly hasPeerEnded: boolean
  /** Is it open, or closing politely? */
  readonly isSending: boolean
}

/** "TLS starts here", as a thing to send. */
export class TlsStart implements SendItem {
  readonly size = 0
  readonly isLong = false
  readonly #owner: TlsOwner
  readonly #demand: TlsDemand
  /** Has the handshake begun? */
  hasBegun = false
  #cancel: Cancel | undefined
  #isOver = false

  constructor(owner: TlsOwner, demand: TlsDemand) {
    this.#owner = owner
    this.#demand = demand
  }

  send(transport: Transport): 'sent' | 'waits' | 'starved' {
    if (transport.tls !== undefined) return 'sent'
    if (transport.bytes_queued > 0) return 'waits'
    const unasked = this.#unasked()
    // Not at once: this may be inside a call of the program.
    if (unasked !== undefined)
      this.#cancel = this.#owner.life.engine.callback(() => this.#refuse(unasked))
    else this.begin()
    return 'starved'
  }

  /** Why TLS must not be started; undefined if it may. */
  #unasked(): string | undefined {
    const bytes = this.#owner.reading.unread()
    if (bytes > 0) return `${bytes} bytes came in clear after what was read last`
    return this.#owner.hasPeerEnded ? 'the peer has ended its side' : undefined
  }

  drop(): void {}

  begin(): void {
    this.hasBegun = true
    const { context, host } = this.#demand
    this.#limit()
    const owner = this.#owner
    owner.transport = context.secure(owner.transport as Transport, host)
    owner.transport.sink = owner
  }

  #limit(): void {
    const { handshake_timeout } = this.#owner.values
    if (this.#isOver || handshake_timeout === Infinity) return
    this.#cancel = this.#owner.life.drive.after(handshake_timeout, () => {
      timeOut(this.#owner.life, 'handshake')
      // on_timeout may have let it go on.
      this.#limit()
    })
  }

  /** The handshake is over, or nothing waits for it any more. */
  stop(): void {
    this.#isOver = true
    this.#cancel?.()
  }

  /** The handshake is done, in the middle of a connection: what waited for it goes out. */
  secured(): void {
    const { life, reading, writing } = this.#owner
    const transport = this.#owner.transport as Transport
    life.call('on_tls_handshake')
    // The hook may have closed it.
    if (!this.#owner.isSending) return
    reading.serve()
    writing.serve(transport)
    reading.release('tls')
    transport.resume()
  }

  #refuse(what: string): void {
    this.#owner.life.fail(
      'on_tls_handshake_error',
      new TlsHandshakeError('ERR_TLS_UNASKED', `TLS was not started: ${what}`),
    )
  }
}

/** Our side has ended. */
export function tlsTooLate(): InvalidStateError {
  return new InvalidStateError('start_tls()', 'our side has ended', 'call it before half_close()')
}

export function tlsTwice(): InvalidStateError {
  return new InvalidStateError('start_tls()', 'TLS was started already', 'once is enough')
}
