/**
 * Layer 7. NatsStoredMessage: a message of a stream, as a consumer delivers it. Its place in the
 * stream stands in its reply subject, to which it is acknowledged.
 *
 *     $JS.ACK.<stream>.<consumer>.<delivered>.<seq>.<consumer seq>.<time in ns>.<pending>
 *     $JS.ACK.<domain>.<account>.<stream>. … .<pending>.<random>
 */

import { InvalidStateError } from '../../../errors.ts'
import type { Milliseconds } from '../../../types.ts'
import type { NatsClient } from '../client.ts'
import type { NatsMessage } from '../message.ts'
import { quietly } from './api.ts'
import { checkTime } from './config.ts'

/** Where the name of the stream stands. */
const SHORT = 2
const LONG = 4

/** The tokens of the short form. */
const SHORT_LENGTH = 9

/** A message of a stream. */
export class NatsStoredMessage {
  /** The message itself: subject, data, text, headers. */
  readonly message: NatsMessage
  readonly #client: NatsClient
  readonly #tokens: readonly string[]
  readonly #at: number
  #isAcknowledged = false

  /** Made by a consumer. */
  constructor(client: NatsClient, message: NatsMessage) {
    this.#client = client
    this.message = message
    this.#tokens = message.reply.split('.')
    this.#at = this.#tokens.length <= SHORT_LENGTH ? SHORT : LONG
  }

  /** The subject that it was published to. */
  get subject(): string {
    return this.message.subject
  }

  /** The payload; see `NatsMessage.data`. */
  get data(): Buffer {
    return this.message.data
  }

  /** The payload as text, in UTF-8. */
  get text(): string {
    return this.message.text
  }

  /** The payload as JSON. Throws SyntaxError if it is none. */
  json(): any {
    return this.message.json()
  }

  /** The name of the stream. */
  get stream(): string {
    return this.#tokens[this.#at] ?? ''
  }

  /** The name of the consumer. */
  get consumer(): string {
    return this.#tokens[this.#at + 1] ?? ''
  }

  /** How often it was delivered. More than 1: it was not acknowledged in time. */
  get delivered(): number {
    return Number(this.#tokens[this.#at + 2])
  }

  /** Its number in the stream. */
  get seq(): number {
    return Number(this.#tokens[this.#at + 3])
  }

  /** When it was stored, by the server's clock: milliseconds since 1970. */
  get time(): Milliseconds {
    return Math.floor(Number(this.#tokens[this.#at + 5]) / 1e6)
  }

  /** How many messages wait after it. */
  get pending(): number {
    return Number(this.#tokens[this.#at + 6])
  }

  /** It is done, and is not delivered again. If this is lost, it is: see `double_ack`. */
  ack(): void {
    this.#settle('ack()', '+ACK')
  }

  /** As `ack`. Resolves when the server knows. Rejects as `client.request`. */
  double_ack(): Promise<void> {
    return quietly(async () => {
      this.#begin('double_ack()')
      await this.#client.request(this.message.reply, '+ACK')
    })
  }

  /**
   * It could not be done: it is delivered again, at once or after `delay` ms. Throws
   * InvalidArgumentError.
   */
  nak(delay: Milliseconds = 0): void {
    checkTime('nak: delay', delay)
    this.#settle('nak()', delay > 0 ? `-NAK {"delay":${Math.round(delay * 1e6)}}` : '-NAK')
  }

  /** It can never be done, and is not delivered again. */
  term(): void {
    this.#settle('term()', '+TERM')
  }

  /** It takes longer: the time for its acknowledgement (`ack_wait`) begins again. */
  working(): void {
    if (!this.#isAcknowledged) this.#client.publish(this.message.reply, '+WPI')
  }

  #settle(call: string, what: string): void {
    this.#begin(call)
    this.#client.publish(this.message.reply, what)
  }

  #begin(call: string): void {
    if (this.#isAcknowledged)
      throw new InvalidStateError(call, 'the message was settled before', 'settle it once')
    this.#isAcknowledged = true
  }
}
