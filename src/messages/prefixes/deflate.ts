/**
 * Layer 8. `deflate+child://`: compresses the data of each message by itself, as raw deflate (RFC
 * 1951).
 *
 * | parameter | meaning |
 * |---|---|
 * | `level=6` | from 0 (no compression) to 9 (the best) |
 * | `max-size=256kb` | the largest data, uncompressed |
 * | `inverted=no` | yes: compresses what is received, and decompresses what is posted |
 *
 * Received data that is invalid, or larger than `max-size` when decompressed, is a failure.
 */

import type { Buffer } from 'node:buffer'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { codeOf, InvalidArgumentError, messageOf, ReadError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import { Message } from '../message.ts'
import { Prefix } from './prefix.ts'

/** The default of `max-size`, that of the original. */
const MOST: Bytes = 262_144

/** The prefix `deflate+`. */
// Source: TLL `lz4+`. Differs: deflate, which Node includes; it has no lz4.
export class Deflate extends Prefix {
  static override readonly protocol = 'deflate+'

  readonly #level: number
  readonly #most: Bytes
  readonly #isInverted: boolean

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#level = params.integer('level', 6, { least: 0, most: 9 })
    this.#most = params.size('max-size', MOST, 1)
    this.#isInverted = params.boolean('inverted', false)
    // With `inverted` the bytes of the peer are compressed, and ours may be anything, too.
    const { data } = super.carries
    if (data === 'text') throw this.carrier.params.fault('binary', 'yes below deflate+')
    if (data !== 'any')
      throw this.carrier.params.fault(
        'frame',
        'one that carries any bytes, and where a message ends, such as std',
      )
  }

  /** What is posted need not be what is carried. */
  override get carries(): Carries {
    return { ...super.carries, data: 'any' }
  }

  override get client_url(): string | undefined {
    const url = super.client_url
    return url === undefined
      ? undefined
      : `deflate+${url}${this.#isInverted ? ';deflate.inverted=yes' : ''}${
          this.#most === MOST ? '' : `;deflate.max-size=${this.#most}b`
        }`
  }

  override do_post(message: Message): boolean {
    if (message.type !== 'data') return super.do_post(message)
    if (message.data.length > this.#most)
      throw new InvalidArgumentError(
        'post: data',
        `at most ${this.#most} bytes long (max-size)`,
        message.data.length,
      )
    return super.do_post(
      new Message({
        ...message,
        data: this.#isInverted ? this.#expandPosted(message.data) : this.#shrink(message.data),
      }),
    )
  }

  #expandPosted(data: Buffer): Buffer {
    try {
      return this.#expand(data)
    } catch (error) {
      throw new InvalidArgumentError('post: data', (error as Error).message, data)
    }
  }

  override child_data(message: Message): Promise<void> | undefined {
    return this.emit(
      new Message({
        ...message,
        data: this.#isInverted ? this.#shrink(message.data) : this.#expand(message.data),
      }),
    )
  }

  #shrink(data: Buffer): Buffer {
    return deflateRawSync(data, { level: this.#level })
  }

  /** Throws ReadError. */
  #expand(data: Buffer): Buffer {
    try {
      return inflateRawSync(data, { maxOutputLength: this.#most })
    } catch (error) {
      throw new ReadError(
        codeOf(error),
        `raw deflate of at most ${this.#most} bytes (max-size) was expected: ${messageOf(error)}`,
        error,
      )
    }
  }
}
