/**
 * Layer 1. A file in the write queue.
 */

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

  constructor(source: FileSource) {
    this.#source = source
  }

  send(transport: Transport, wake: () => void): 'sent' | 'more' | 'starved' {
    this.#source.on_ready = wake
    const chunk = this.#source.take()
    if (chunk === 'starved') return 'starved'
    if (chunk === 'end') return 'sent'
    transport.write(chunk, 'utf8')
    return 'more'
  }

  drop(): void {
    this.#source.close()
  }
}
