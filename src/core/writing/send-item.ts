/**
 * Layer 1. The items that a write path sends, one after the other: bytes, text, a part of a file,
 * "TLS starts here". To send a new kind of thing, write one more class with this contract.
 */

import type { Transport } from '../../transport.ts'
import type { Bytes, Encoding } from '../../types.ts'

/** One thing in the queue of a write path. */
export interface SendItem {
  /** The bytes that it keeps in memory. Never changes. */
  readonly size: Bytes
  /** Must the program wait for it, whatever its size? (A file is large, and not in memory.) */
  readonly isLong: boolean
  /**
   * Gives the transport the next piece, and says how far it has come:
   * - 'sent': that was the last piece
   * - 'more': the next piece can be asked for at once
   * - 'starved': there is nothing to send yet; it calls `wake` when there is
   * - 'waits': it must not start before the system has taken everything else; ask again then
   *
   * If it throws, the error is reported to `on_write_error` and the item is dropped.
   */
  send(transport: Transport, wake: () => void): 'sent' | 'more' | 'starved' | 'waits'
  /** Called if it will not be sent, or not to its end: frees what it keeps. */
  drop(): void
}

/** Bytes that are sent as they are. */
export class BytesItem implements SendItem {
  readonly isLong = false
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get size(): Bytes {
    return this.#bytes.length
  }

  send(transport: Transport): 'sent' {
    transport.write(this.#bytes, 'utf8')
    return 'sent'
  }

  drop(): void {}
}

/** A run of text, after which something else was written. */
export class TextItem implements SendItem {
  readonly isLong = false
  readonly size: Bytes
  readonly #text: string
  readonly #encoding: Encoding

  /** `size` is that of `text` in `encoding`. */
  constructor(text: string, encoding: Encoding, size: Bytes) {
    this.#text = text
    this.#encoding = encoding
    this.size = size
  }

  send(transport: Transport): 'sent' {
    transport.write(this.#text, this.#encoding)
    return 'sent'
  }

  drop(): void {}
}
