/**
 * Layer 5. The hooks of a Stream, and what each does by default. Those that a Datagram has too are
 * in data-channel.ts.
 */

import { formatAddress } from '../../core/address.ts'
import type { ReadArguments, ReadDelimiter } from '../../core/delimiters.ts'
import type { TimeoutError, TlsError, TlsHandshakeError } from '../../errors.ts'
import type { Endpoint } from '../../transport.ts'
import type { TimeoutKind } from '../../types.ts'
import { DataChannel } from '../data-channel.ts'
import { LIFE } from '../life.ts'
import { giveUp } from '../timeouts.ts'
import { become, type BecomeOptions, type Becoming } from './becoming.ts'
import type { TEXT, TextReads } from './text-reads.ts'

/** What is asked of the link of the stream. */
interface HookedDriver {
  readonly target: Endpoint | undefined
  readonly values: object
  readonly reading: { targetChanged(): void }
}

export abstract class StreamHooks<By extends ReadDelimiter = ReadDelimiter> extends DataChannel {
  /** For TypeScript alone: does `on_read` take what it gets? @hidden */
  declare readonly [TEXT]: TextReads<this>

  /**
   * Called with each read, as `read_delimiter` cuts them. A Struct delivers its fields as
   * arguments.
   *
   * Anything may be done in here. No further read is delivered before this hook returns; if it
   * returns a promise, none is delivered before that settles.
   *
   * By default it drops the data.
   */
  // Source: Pants `Stream.on_read`.
  on_read(..._data: ReadArguments<By>): any {}

  static {
    const { on_read } = StreamHooks.prototype
    // An accessor, because an on_read that is assigned later gets what `read` has left. A method or
    // a field of a class is found before it.
    Object.defineProperty(StreamHooks.prototype, 'on_read', {
      configurable: true,
      get: () => on_read,
      set(this: StreamHooks, value: unknown) {
        const own = { value, writable: true, enumerable: true, configurable: true }
        Object.defineProperty(this, 'on_read', own)
        ;(this[LIFE]?.driver as HookedDriver | undefined)?.reading.targetChanged()
      },
    })
  }

  /**
   * Says how the next read is cut, whether it is text or bytes, and what gets it: the hook that is
   * given, or `on_read` without one. So each state of a protocol is a method of its own.
   *
   * It assigns `read_delimiter` and `encoding`, and lasts as long as an assignment: to the end of
   * this opening. `hook` is called with the stream as `this`, and is a hook as `on_read` is: what
   * it throws goes to `on_error`, and a promise holds the next read.
   *
   * After closing it does nothing. Throws InvalidDelimiterError or InvalidArgumentError if an
   * argument is invalid; nothing has changed then. Throws InvalidStateError before `connect`.
   *
   * @example
   * class Counted extends Connection {
   *   override on_connect() {
   *     this.become('\n', this.got_size, { encoding: 'utf8' })
   *   }
   *   got_size(line: string) {
   *     this.become(Number(line), this.got_body, { encoding: null })
   *   }
   *   got_body(body: Buffer) {
   *     this.become('\n', this.got_size, { encoding: 'utf8' })
   *   }
   * }
   */
  // Source: Twisted's StatefulStringProtocol; `become` of Akka's actors.
  become<D extends ReadDelimiter>(
    delimiter: D,
    hook?: (this: this, ...data: ReadArguments<D>) => unknown,
    options: BecomeOptions = {},
  ): void {
    become(this as unknown as Becoming, delimiter, hook, options)
  }

  /**
   * Called when the peer has ended its side, after the last complete read. The stream can still
   * write.
   *
   * By default it calls `end()`. If you override it, the connection stays half open until you call
   * `end()`, `half_close()` or `close()`. If our side has ended as well, the stream closes.
   */
  on_read_end(): any {
    this.end()
  }

  /**
   * Called when a timeout ran out: 'connect', 'handshake', 'read', 'write', 'idle' or 'lifetime'.
   *
   * By default it reports an error (code ERR_TIMEOUT) to `on_connect_error`,
   * `on_tls_handshake_error` or else `on_error`, and closes with the reason 'timeout', whatever
   * that hook does. If you override it, the stream goes on unless you close it, and the timeout
   * starts again.
   */
  on_timeout(kind: TimeoutKind): any {
    const { target, values } = this[LIFE].driver as unknown as HookedDriver
    const doing =
      kind === 'connect' && target !== undefined ? `connecting to ${formatAddress(target)} ` : ''
    giveUp(this[LIFE], kind, values, doing)
  }

  /**
   * Called when the TLS handshake is done and the peer is verified. `tls` tells what was agreed on.
   *
   * By default it does nothing.
   */
  // Source: Pants `Stream.on_ssl_handshake`.
  on_tls_handshake(): any {}

  /**
   * Called once when a TLS handshake failed. The certificate was refused (the message says which
   * check failed, and what to do), there was no version or cipher in common, what came was not TLS,
   * or `handshake_timeout` ran out (code ERR_TIMEOUT).
   *
   * By default it calls `on_error`. Then the stream closes, whatever this hook does.
   */
  // Source: Pants `Stream.on_ssl_handshake_error`.
  on_tls_handshake_error(error: TlsHandshakeError | TimeoutError): any {
    return this.on_error(error)
  }

  /**
   * Called when TLS failed after the handshake.
   *
   * By default it calls `on_error`. Then the stream closes, whatever this hook does.
   */
  // Source: Pants `Stream.on_ssl_error`.
  on_tls_error(error: TlsError): any {
    return this.on_error(error)
  }
}
