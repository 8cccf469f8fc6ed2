/**
 * Layer 7. A message that is compressed when it is its turn in the write queue. What is written
 * after it waits, so the order stays.
 */

import type { SendItem } from '../../../core/writing/send-item.ts'
import type { Transport } from '../../../transport.ts'
import type { Bytes } from '../../../types.ts'
import type { FramePacker } from '../outgoing.ts'
import type { Deflating } from './deflating.ts'

export class DeflateItem implements SendItem {
  readonly size: Bytes
  readonly isLong = false
  readonly #bytes: Uint8Array
  readonly #deflating: Deflating
  readonly #packer: FramePacker
  #state: 'waiting' | 'busy' | 'dropped' = 'waiting'
  #frame: Buffer | undefined
  #error: Error | undefined

  constructor(bytes: Uint8Array, deflating: Deflating, packer: FramePacker) {
    this.size = bytes.length
    this.#bytes = bytes
    this.#deflating = deflating
    this.#packer = packer
  }

  send(transport: Transport, wake: () => void): 'sent' | 'starved' {
    if (this.#state === 'waiting') this.#begin(wake)
    if (this.#error !== undefined) throw this.#error
    if (this.#frame === undefined) return 'starved'
    transport.write(this.#frame, 'utf8')
    return 'sent'
  }

  #begin(wake: () => void): void {
    this.#state = 'busy'
    this.#deflating.deflate(this.#bytes, (error, bytes) => {
      if (this.#state === 'dropped') return
      if (bytes === undefined) this.#error = error as Error
      else this.#frame = this.#packer.pack(bytes)
      wake()
    })
  }

  drop(): void {
    this.#state = 'dropped'
  }
}
