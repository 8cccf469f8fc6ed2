/**
 * Layer 8. `tcp://host:port;mode=client`, `tls+tcp://` and `unix://path;mode=client`: messages over
 * one connection.
 *
 * It is 'opening' until it is connected. When the peer ends, it closes; a failure is the state
 * 'error'. `close()` sends what was posted first.
 */

import type { Address, CloseReason } from '../../types.ts'
import type { Init } from '../init.ts'
import { Control, type Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'
import { parsePlace } from '../place.ts'
import { Socket, type SocketOwner, type SocketParams, socketParams } from './socket.ts'
import { tlsOptions } from './tls.ts'

/** Source: TLL `tcp`, client. */
export class TcpClient extends MessageChannel {
  static override readonly protocol: string = 'tcp-client'
  static override readonly caps = ['long_close'] as const

  readonly #params: SocketParams
  #socket: Socket | undefined
  #reason: CloseReason | undefined

  constructor(init: Init) {
    super(init)
    this.#params = socketParams(init.params)
    const { host } = init.params.url
    if (host !== '') this.#address(host)
  }

  /** The addresses of the connection. */
  override get info(): Readonly<Record<string, unknown>> {
    return { local: this.#socket?.local_address, remote: this.#socket?.remote_address }
  }

  /** A URL without a host takes it here: `open('host=127.0.0.1:5555')`. */
  override do_open(params: Params): 'opening' {
    const { host } = this.params.url
    const address =
      host === '' ? parsePlace(params.text('host'), this.#isUnix) : this.#address(host)
    if (address === undefined) throw params.fault('host', 'host:port, or a path')
    const tls = tlsOptions(this.params, 'client')
    this.#reason = undefined
    this.#socket = new Socket(this.#owner, this.#params, { engine: this.engine, name: this.name })
    if (this.suspended) this.#socket.suspend()
    if (tls !== undefined) this.#socket.start_tls(tls)
    this.#socket.connect(address)
    this.update_dcaps(['poll_out'])
    return 'opening'
  }

  get #isUnix(): boolean {
    return this.params.url.protocol === 'unix'
  }

  #address(text: string): Address {
    const address = parsePlace(text, this.#isUnix)
    if (address === undefined)
      throw this.params.url.host_fault('the address must be host:port, or a path with a slash')
    return address
  }

  readonly #owner: SocketOwner = {
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
    failed: (socket, error) => {
      if (socket === this.#socket) this.fail(error)
    },
    closed: (socket, reason) => {
      if (socket !== this.#socket) return
      this.#socket = undefined
      this.#reason = reason
      if (this.state === 'closing') this.finish_close(reason)
      else if (this.state !== 'error') this.close()
    },
  }

  override do_close(force: boolean): void {
    const socket = this.#socket
    if (socket === undefined) {
      this.finish_close(this.#reason)
    } else if (force) {
      this.#socket = undefined
      socket.close()
    } else {
      socket.end()
    }
  }

  /** Control WriteFlush sends what is queued at once. */
  override do_post(message: Message): boolean {
    const socket = this.#socket as Socket
    if (message.type === 'data') return socket.post(message)
    if (message.type === 'control' && message.msgid === Control.WriteFlush) socket.flush()
    return true
  }

  override do_suspend(): void {
    this.#socket?.suspend()
  }

  override do_resume(): void {
    this.#socket?.resume()
  }
}
