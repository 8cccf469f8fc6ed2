/**
 * Layer 1. What a write path sends, one after the other: bytes, text, a part of a file, "TLS starts
 * here". To send a new kind of thing, write one more.
 */

import type { Transport } from '../transport.ts'
import type { Bytes, Encoding } from '../types.ts'

/** One thing in the queue of a write path. */
export interface SendItem {
  /** The bytes it holds in memory; does not change. */
  readonly size: Bytes
  /** Must the program wait for it, whatever its size? (A file is large, and not in memory.) */
  readonly isLong: boolean
  /**
   * Gives the transport its next piece. 'sent': that was the last. 'more': there is more at once.
   * 'starved': there is nothing yet; it calls `wake` when there is. 'behind': nothing may be on its
   * way before it, ask again when the system has taken all. What it throws goes to
   * `on_write_error`, and the item is dropped.
   */
  send(transport: Transport, wake: () => void): 'sent' | 'more' | 'starved' | 'behind'
  /** It will not be sent (any more): lets go of what it holds. */
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

/** A run of text that something else was written behind. */
export class TextItem implements SendItem {
  readonly isLong = false
  readonly size: Bytes
  readonly #text: string
  readonly #encoding: Encoding

  /** `size`: the bytes of `text` in that encoding. */
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
