/**
 * Layer 8. The client of `tcp://host:port`, `tls+tcp://host:port` and `unix://path`: messages over
 * one connection.
 *
 * It is 'opening' until it is connected. It closes when the peer ends the connection. A failure
 * leads to the state 'error'. `close()` first sends what was posted.
 *
 * The parameters are in stream-params.ts, those of `tls+tcp` in tls-options.ts.
 */

import { LIFE } from '../../channels/life.ts'
import type { Address, Bytes, CloseReason } from '../../types.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import { Control, type Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'
import { hostFault, parseHost } from './host.ts'
import { FramedStream, type FramedStreamOwner } from './framed-stream.ts'
import { bindAddress, inFamily, type StreamParams, streamParams } from './stream-params.ts'
import { type LoadTlsOptions, tlsOptions } from './tls-options.ts'

/** The channel of `tcp://`, `tls+tcp://` and `unix://`. */
// Source: TLL `tcp`, client.
export class TcpClient extends MessageChannel {
  static override readonly protocol: string = 'tcp-client'
  static override readonly caps = ['long_close'] as const

  readonly #params: StreamParams
  readonly #bind: [host: string, port: number] | undefined
  readonly #tls: LoadTlsOptions | undefined
  #stream: FramedStream | undefined
  #reason: CloseReason | undefined
  #unsent: Bytes = 0

  constructor(init: Init) {
    super(init)
    this.#params = streamParams(init.params, 'client')
    this.#bind = bindAddress(init.params)
    this.#tls = tlsOptions(init.params, 'client')
    const { host } = init.params.url
    if (host !== '') this.#address(host)
  }

  override get carries(): Carries {
    return this.#params.frame.carries
  }

  /**
   * `local` and `remote`: the addresses of the connection. `unsent`: the bytes that were posted and
   * have not gone; after the connection has failed, those that were lost.
   */
  override get info(): Readonly<Record<string, unknown>> {
    const stream = this.#stream
    return {
      local: stream?.local_address,
      remote: stream?.remote_address,
      unsent: stream?.bytes_queued ?? this.#unsent,
    }
  }

  /** If the URL has no host, the opening must give it: `open('host=127.0.0.1:5555')`. */
  override do_open(params: Params): 'opening' {
    const address = this.#target(params)
    const tls = this.#tls?.(this[LIFE].drive.files)
    this.#reason = undefined
    this.#unsent = 0
    this.#stream = new FramedStream(this.#owner, this.#params, {
      engine: this.engine,
      name: this.name,
    })
    if (this.suspended) this.#stream.suspend()
    if (tls !== undefined) this.#stream.start_tls(tls)
    this.#stream.connect(address, this.#bind && { local_address: this.#bind })
    this.update_dcaps(['poll_out'])
    return 'opening'
  }

  #target(params: Params): Address {
    const { url } = this.params
    if (url.host !== '') return this.#address(url.host)
    if (!params.has('host'))
      throw url.host_fault("the address is missing; without one, open('host=…') must give it")
    const address = parseHost(params.text('host'), this.#isUnix)
    if (address === undefined) throw params.fault('host', 'host:port, or a path')
    return inFamily(this.params, address)
  }

  get #isUnix(): boolean {
    return this.params.url.protocol === 'unix'
  }

  #address(text: string): Address {
    const address = parseHost(text, this.#isUnix)
    if (address === undefined)
      throw this.params.url.host_fault(
        hostFault(text, 'the address must be host:port, or a path with a slash'),
      )
    return inFamily(this.params, address)
  }

  readonly #owner: FramedStreamOwner = {
    connected: () => {
      this.update_dcaps(['poll_in'], ['poll_out'])
      this.become_active()
    },
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
      if (this.state === 'closing') this.finish_close(reason)
      else if (this.state !== 'error') this.close()
    },
  }

  override do_close(force: boolean): void {
    const stream = this.#stream
    if (stream === undefined) {
      this.finish_close(this.#reason)
    } else if (force) {
      this.#unsent = Math.max(this.#unsent, stream.bytes_queued)
      this.#stream = undefined
      stream.close()
    } else {
      stream.end()
    }
  }

  /** Control WriteFlush sends what is queued at once. Other control messages are dropped. */
  override do_post(message: Message): boolean {
    const stream = this.#stream as FramedStream
    if (message.type === 'data') return stream.post(message)
    if (message.type === 'control' && message.msgid === Control.WriteFlush) stream.flush()
    return true
  }

  override half_close(): boolean {
    if (this.state === 'active') this.#stream?.half_close()
    return true
  }

  override do_suspend(): void {
    this.#stream?.suspend()
  }

  override do_resume(): void {
    this.#stream?.resume()
  }
}
