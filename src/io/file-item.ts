/**
 * Layer 2. A file in the write queue.
 */

import type { FileHandle } from 'node:fs/promises'
import type { SendItem } from '../core/send-item.ts'
import type { Transport } from '../transport.ts'
import type { Bytes } from '../types.ts'
import { FileSource } from './file.ts'

export class FileItem implements SendItem {
  /**
   * What is read ahead is one chunk, which `write` must not be refused for: `isLong` says what
   * matters.
   */
  readonly size = 0
  readonly isLong = true
  readonly #source: FileSource

  constructor(file: string | URL | FileHandle | number, nbytes: Bytes, offset: Bytes) {
    this.#source = new FileSource(file, offset, nbytes)
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
