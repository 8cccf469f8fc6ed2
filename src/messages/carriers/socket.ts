/**
 * Layer 8. A stream that carries framed messages: what a client, and each peer of a server, has
 * below it.
 */

import { Stream, type StreamOptions } from '../../channels/stream.ts'
import type { Bytes, CloseReason } from '../../types.ts'
import { type Frame, FRAMES } from './frames.ts'
import { type Addr, Control, Message } from '../message.ts'
import type { Params } from '../params.ts'

/** What a socket reports to its channel. */
export interface SocketOwner {
  connected(socket: Socket): void
  /** Data, or control WriteFull or WriteReady. A promise holds the next one. */
  received(message: Message): Promise<void> | undefined
  failed(socket: Socket, error: Error): void
  closed(socket: Socket, reason: CloseReason): void
}

/** The parameters that clients and servers have in common. */
export interface SocketParams {
  readonly frame: Frame
  readonly options: {
    readonly buffer_size: Bytes
    readonly send_high_water: Bytes
    readonly no_delay: boolean
  }
}

/**
 * Bytes that a message may have, with its frame, and that may be queued before `post` returns
 * false: those of a Stream.
 */
const SIZE: Bytes = 65_536

/** `frame=`, `buffer-size=`, `send-buffer-size=`, `nodelay=`. Throws UrlError. */
export function socketParams(params: Params): SocketParams {
  return {
    frame: FRAMES.get(params.choice('frame', [...FRAMES.keys()], 'std')) as Frame,
    options: {
      buffer_size: params.size('buffer-size', SIZE, 1),
      send_high_water: params.size('send-buffer-size', SIZE, 1),
      no_delay: params.boolean('nodelay', true),
    },
  }
}

export class Socket extends Stream {
  /** Who sends through it, as the messages of a server say. */
  readonly addr: Addr | undefined
  /** What ended it; undefined when it ended as it should. */
  fault: Error | undefined
  readonly #owner: SocketOwner
  readonly #frame: Frame
  #isFull = false

  constructor(
    owner: SocketOwner,
    { frame, options }: SocketParams,
    more: StreamOptions,
    addr?: Addr,
  ) {
    // A peer that sends and does not read is stopped by WriteFull, which the program hears of.
    super({ read_delimiter: frame.delimiter, backpressure: false, ...options, ...more })
    this.#owner = owner
    this.#frame = frame
    this.addr = addr
  }

  /** False: full. */
  post(message: Message): boolean {
    if (this.#isFull) return false
    const { tail } = this.#frame
    const head = this.#frame.head(message)
    if (head !== undefined) this.write(head)
    let hasRoom = this.write(message.data)
    if (tail !== '') hasRoom = this.write(tail)
    if (!hasRoom && this.state === 'active') {
      this.#isFull = true
      this.#tell(Control.WriteFull)
    }
    return true
  }

  #tell(msgid: number): void {
    void this.#owner.received(new Message({ type: 'control', msgid, addr: this.addr }))
  }

  override on_connect(): void {
    this.#owner.connected(this)
  }

  override on_read(...read: unknown[]): Promise<void> | void {
    return this.#owner.received(this.#frame.unpack(read, this.addr))
  }

  override on_write(): void {
    if (!this.#isFull) return
    this.#isFull = false
    this.#tell(Control.WriteReady)
  }

  /** All errors come here: each of them is the end of a socket. */
  override on_error(error: Error): void {
    this.fault = error
    this.#owner.failed(this, error)
    this.close()
  }

  override on_close(reason: CloseReason): void {
    this.#owner.closed(this, reason)
  }
}
