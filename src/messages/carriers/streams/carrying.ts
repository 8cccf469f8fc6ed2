/**
 * Layer 8. What a stream that carries messages is to its channel: the contract between a client or
 * a server of messages and each of its connections.
 */

import type { Stream } from '../../../channels/streams/stream.ts'
import type { Bytes, CloseReason } from '../../../types.ts'
import type { Addr, Message } from '../../message.ts'

/** One connection that carries messages. A client has one, a server has one for each peer. */
export interface CarryingStream extends Stream {
  /** For a peer of a server: its number, which its messages have as their `addr`. */
  readonly addr: Addr | undefined
  /** The error that ended the stream; undefined if there was none. */
  readonly fault: Error | undefined
  /** The bytes that waited when the peer said that it reads no more. */
  readonly untaken: Bytes
  /** Returns false if the queue is full. Throws if the message does not fit. */
  post(message: Message): boolean
  /** Posts messages that are packed already. Returns false also if it has closed. */
  postPacked(packed: Uint8Array): boolean
}

/** What a stream of texts reports to its channel besides. */
export interface TextOwner {
  /** A text, not made a message. Returns false if it must be one, and goes to `received`. */
  text(text: string, addr: Addr | undefined): Promise<void> | undefined | false
}

/** What a stream reports to its channel. */
export interface CarryingOwner<Of> {
  connected(stream: Of): void
  /** Data, or control WriteFull or WriteReady. If it returns a promise, the next message waits. */
  received(message: Message): Promise<void> | undefined
  /** `closed` follows. */
  failed(stream: Of, error: Error): void
  closed(stream: Of, reason: CloseReason): void
}
