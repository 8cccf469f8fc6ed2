/**
 * Layer 7. Compression of one connection, both ways, as it was agreed on.
 */

import { Buffer, isUtf8 } from 'node:buffer'
import type { Bytes, Data } from '../../../types.ts'
import { Fault, type Deflated } from '../incoming.ts'
import type { FramePacker } from '../outgoing.ts'
import { DeflateItem } from './deflate-item.ts'
import type { DeflateRules } from './deflate-options.ts'
import { Deflating } from './deflating.ts'
import { Inflating } from './inflating.ts'
import type { Terms } from './terms.ts'

/** What both ends agreed on, and how this one compresses. */
export interface Agreed {
  readonly terms: Terms
  readonly rules: DeflateRules
}

export class Compression {
  readonly #threshold: Bytes
  readonly #inflating: Inflating
  readonly #deflating: Deflating

  /** `max`: the most bytes of a message that comes. */
  constructor({ terms, rules }: Agreed, isServer: boolean, max: Bytes) {
    const [own, others] = isServer ? [terms.server, terms.client] : [terms.client, terms.server]
    this.#threshold = rules.threshold
    this.#inflating = new Inflating(others.forgets, others.bits, max)
    this.#deflating = new Deflating(own.forgets, own.bits, rules)
  }

  /**
   * The message as a thing to send; undefined if it goes as it is. An empty one always does: zlib
   * makes nothing of nothing.
   */
  pack(data: Data, compress: boolean | undefined, packer: FramePacker): DeflateItem | undefined {
    if (compress === false || data.length === 0) return undefined
    if (compress === undefined && data.length < this.#threshold) return undefined
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    return new DeflateItem(bytes, this.#deflating, packer)
  }

  /** The message that was compressed, or what is wrong with it. */
  unpack({ isText, bytes }: Deflated): Message | Promise<Message> {
    const outcome = this.#inflating.inflate(bytes)
    return outcome instanceof Promise
      ? outcome.then(inflated => read(inflated, isText))
      : read(outcome, isText)
  }

  close(): void {
    this.#deflating.close()
  }
}

type Message = string | Buffer | Fault

function read(outcome: Buffer | Fault, isText: boolean): Message {
  if (outcome instanceof Fault || !isText) return outcome
  return isUtf8(outcome) ? outcome.toString() : new Fault(1007, 'a text message must be UTF-8')
}
