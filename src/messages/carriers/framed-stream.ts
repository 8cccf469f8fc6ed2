/**
 * Layer 8. FramedStream: a stream that carries messages in frames. A client has one, a server has
 * one for each peer.
 */

import { linkOf } from '../../channels/streams/link-of.ts'
import { Stream } from '../../channels/streams/stream.ts'
import type { StreamOptions } from '../../channels/streams/stream-options.ts'
import { ReadError } from '../../errors.ts'
import type { Bytes, CloseReason } from '../../types.ts'
import { type Addr, Control, Message } from '../message.ts'
import type { Frame } from './frames.ts'
import type { StreamParams } from './stream-params.ts'
import type { CarryingOwner, CarryingStream } from './streams/carrying.ts'

export type FramedStreamOwner = CarryingOwner<FramedStream>

/** Data up to this size is copied after its head; larger data is written as it is. */
const SMALL: Bytes = 4000

export class FramedStream extends Stream implements CarryingStream {
  /** For a peer of a server: its number, which its messages have as their `addr`. */
  readonly addr: Addr | undefined
  /** The error that ended the stream; undefined if there was none. */
  fault: Error | undefined
  /** A peer that ends its side may read on. */
  readonly untaken = 0
  readonly #owner: FramedStreamOwner
  readonly #frame: Frame
  #isFull = false
  #hasEnded = false

  constructor(
    owner: FramedStreamOwner,
    { frame, options }: StreamParams,
    more: StreamOptions,
    addr?: Addr,
  ) {
    // No backpressure: the program gets WriteFull if the peer does not read, and decides itself.
    super({ read_delimiter: frame.delimiter, backpressure: false, ...options, ...more })
    this.#owner = owner
    this.#frame = frame
    this.addr = addr
  }

  /** Returns false if the queue is full, or if our side has ended. */
  post(message: Message): boolean {
    if (this.#isFull || this.#hasEnded) return false
    const { tail, packer } = this.#frame
    const link = linkOf(this)
    if (packer !== undefined && message.data.length <= SMALL && link.mayWrite)
      return this.#posted(link.writable().writePacked(packer, [message]))
    const head = this.#frame.head(message)
    if (head !== undefined) this.write(head)
    let hasRoom = this.write(message.data)
    if (tail !== '') hasRoom = this.write(tail)
    return this.#posted(hasRoom)
  }

  /** Posts messages as `packFrames` has packed them. Returns false also if it has closed. */
  postPacked(packed: Uint8Array): boolean {
    if (this.#isFull || this.#hasEnded || this.state !== 'active') return false
    return this.#posted(this.write(packed))
  }

  #posted(hasRoom: boolean): true {
    if (!hasRoom && this.state === 'active') {
      this.#isFull = true
      this.#report(Control.WriteFull)
    }
    return true
  }

  /** Our side ends when everything has gone; what the peer sends is received all the same. */
  override half_close(): void {
    this.#hasEnded = true
    super.half_close()
  }

  #report(msgid: number): void {
    void this.#owner.received(new Message({ type: 'control', msgid, addr: this.addr }))
  }

  override on_connect(): void {
    this.#owner.connected(this)
  }

  override on_read(...read: unknown[]): Promise<void> | void {
    return this.#owner.received(this.#frame.unpack(read, this.addr))
  }

  /** What is left is the beginning of a message. What was posted is sent all the same. */
  override on_read_end(): void {
    const rest = linkOf(this).reading.unread()
    if (rest > 0) {
      const what = `the peer ended in the middle of a message, ${rest} bytes of which had come`
      this.fault = new ReadError('ERR_FRAME', what)
      this.#owner.failed(this, this.fault)
    }
    super.on_read_end()
  }

  override on_write(): void {
    if (!this.#isFull) return
    this.#isFull = false
    this.#report(Control.WriteReady)
  }

  /** Every error comes here and closes the stream. */
  override on_error(error: Error): void {
    this.fault = error
    this.#owner.failed(this, error)
    this.close()
  }

  override on_close(reason: CloseReason): void {
    this.#owner.closed(this, reason)
  }
}
