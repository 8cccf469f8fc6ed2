/**
 * Layer 8. CarrierClient: a client of messages over one connection, whatever that speaks. TcpClient
 * and WsClient say what the connection is; the rest is here.
 *
 * It is 'opening' until it is connected. It closes when the peer ends the connection. A failure
 * leads to the state 'error'. `close()` first sends what was posted.
 */

import { LIFE } from '../../../channels/life.ts'
import type { Bytes, CloseReason } from '../../../types.ts'
import type { Init } from '../../init.ts'
import { Control, type Message } from '../../message.ts'
import { MessageChannel } from '../../message-channel.ts'
import type { Params } from '../../params.ts'
import { emitText } from '../../texts.ts'
import { type LoadTlsOptions, tlsOptions } from '../tls-options.ts'
import type { CarryingOwner, CarryingStream, TextOwner } from './carrying.ts'

export abstract class CarrierClient<Carried extends CarryingStream> extends MessageChannel {
  static override readonly caps = ['long_close'] as const

  readonly #tls: LoadTlsOptions | undefined
  #stream: Carried | undefined
  #reason: CloseReason | undefined
  #unsent: Bytes = 0

  constructor(init: Init) {
    super(init)
    this.#tls = tlsOptions(init.params, 'client')
  }

  // ---- what each client says of itself ----------------------------------------------------------

  /** Returns what connects a new stream. Throws if the opening says nowhere to connect to. */
  abstract connecting(params: Params): (stream: Carried) => void

  /** A new stream, which reports to `owner`. */
  abstract makeStream(owner: CarryingOwner<Carried> & TextOwner): Carried

  // ---- what is told -----------------------------------------------------------------------------

  /** The connection while there is one. */
  get stream(): Carried | undefined {
    return this.#stream
  }

  /**
   * `local` and `remote`: the addresses of the connection. `unsent`: the bytes that were posted and
   * have not gone; when the connection has ended, those that were lost.
   */
  override get info(): Readonly<Record<string, unknown>> {
    const stream = this.#stream
    return {
      local: stream?.local_address,
      remote: stream?.remote_address,
      unsent: stream?.bytes_queued ?? this.#unsent,
    }
  }

  // ---- opening ----------------------------------------------------------------------------------

  /** If the URL has no host, the opening must give it: `open('host=127.0.0.1:5555')`. */
  override do_open(params: Params): 'opening' {
    const connect = this.connecting(params)
    const tls = this.#tls?.(this[LIFE].drive.files)
    this.#reason = undefined
    this.#unsent = 0
    const stream = this.makeStream(this.#owner)
    this.#stream = stream
    if (this.suspended) stream.suspend()
    if (tls !== undefined) stream.start_tls(tls)
    connect(stream)
    this.update_dcaps(['poll_out'])
    return 'opening'
  }

  readonly #owner: CarryingOwner<Carried> & TextOwner = {
    connected: () => {
      this.update_dcaps(['poll_in'], ['poll_out'])
      this.become_active()
    },
    text: text => emitText(this, text, undefined),
    received: message => {
      if (message.msgid === Control.WriteFull && message.type === 'control')
        this.update_dcaps(['poll_out'])
      else if (message.type === 'control') this.update_dcaps([], ['poll_out'])
      return this.emit(message)
    },
    failed: (stream, error) => {
      if (stream === this.#stream) {
        this.#unsent = stream.bytes_queued
        this.fail(error)
      }
    },
    closed: (stream, reason) => {
      if (stream !== this.#stream) return
      this.#stream = undefined
      this.#reason = reason
      this.#unsent = Math.max(this.#unsent, stream.untaken)
      if (this.state === 'closing') this.finish_close(reason)
      else if (this.state !== 'error') this.close()
    },
  }

  // ---- posting, holding, closing ----------------------------------------------------------------

  /** Control WriteFlush sends what is queued at once. Other control messages are dropped. */
  override do_post(message: Message): boolean {
    const stream = this.#stream as Carried
    if (message.type === 'data') return stream.post(message)
    if (message.type === 'control' && message.msgid === Control.WriteFlush) stream.flush()
    return true
  }

  override do_suspend(): void {
    this.#stream?.suspend()
  }

  override do_resume(): void {
    this.#stream?.resume()
  }

  override do_close(force: boolean): void {
    const stream = this.#stream
    if (stream === undefined) return this.finish_close(this.#reason)
    if (!force) return stream.end()
    this.#unsent = Math.max(this.#unsent, stream.bytes_queued)
    this.#stream = undefined
    stream.close()
  }
}
