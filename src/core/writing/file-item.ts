/**
 * Layer 1. A file in the write queue.
 */

import type { Buffer } from 'node:buffer'
import type { FileSource, Transport } from '../../transport.ts'
import type { SendItem } from './send-item.ts'

export class FileItem implements SendItem {
  /**
   * It counts as nothing against the bounds of the queue: one chunk is read ahead, and `write` must
   * not be refused for that. `isLong` tells the program to wait.
   */
  readonly size = 0
  readonly isLong = true
  readonly #source: FileSource
  #sent: Buffer | undefined

  constructor(source: FileSource) {
    this.#source = source
  }

  send(transport: Transport, wake: () => void): 'sent' | 'more' | 'starved' {
    this.#giveBack(transport)
    this.#source.on_ready = wake
    const chunk = this.#source.take()
    if (chunk === 'starved') return 'starved'
    if (chunk === 'end') return 'sent'
    transport.write(chunk, 'utf8')
    this.#sent = chunk
    return 'more'
  }

  /** If the last chunk has gone, its memory can be used again. */
  #giveBack(transport: Transport): void {
    if (this.#sent === undefined || transport.bytes_queued > 0 || transport.keeps_data) return
    this.#source.give_back?.(this.#sent)
    this.#sent = undefined
  }

  drop(): void {
    this.#source.close()
  }
}
