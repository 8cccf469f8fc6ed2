/**
 * Layer 7. NatsMessage: one message that has come.
 *
 * It is a view of the bytes that came, and decodes what is asked for when it is asked for: most
 * programs look at the data alone, and a subject that nobody reads costs nothing.
 */

import { Buffer } from 'node:buffer'
import type { Bytes, Data } from '../../types.ts'
import { type Header, type NatsHeaders, NO_HEADER, readHeader } from './headers.ts'

/** How one message is published. */
export interface NatsPublishOptions {
  /** The header. Servers before 2.2 have none: publishing throws ERR_NATS_UNSUPPORTED then. */
  readonly headers?: NatsHeaders | undefined
  /** Where answers go to. `request` does it all. */
  readonly reply?: string | undefined
}

/** What answers a message: the client that it came to. */
export interface Publisher {
  publish(subject: string, data?: Data, options?: NatsPublishOptions): boolean
}

/** A message that has come. */
export class NatsMessage {
  /** The number of the subscription that it came by. */
  readonly sid: number
  readonly #publisher: Publisher
  #bytes: Buffer
  /** What the place is counted from; it moves when the bytes do. */
  #base: Bytes
  readonly #subject: Bytes
  readonly #subjectEnd: Bytes
  readonly #reply: Bytes
  readonly #replyEnd: Bytes
  readonly #header: Bytes
  readonly #data: Bytes
  readonly #end: Bytes
  #read: Header | undefined

  /** Made by the client. */
  constructor(
    publisher: Publisher,
    sid: number,
    bytes: Buffer,
    subject: Bytes,
    subjectEnd: Bytes,
    reply: Bytes,
    replyEnd: Bytes,
    header: Bytes,
    data: Bytes,
    end: Bytes,
  ) {
    this.sid = sid
    this.#publisher = publisher
    this.#bytes = bytes
    this.#base = 0
    this.#subject = subject
    this.#subjectEnd = subjectEnd
    this.#reply = reply
    this.#replyEnd = replyEnd
    this.#header = header
    this.#data = data
    this.#end = end
  }

  /** The subject that it was published to. */
  get subject(): string {
    return this.#text(this.#subject, this.#subjectEnd)
  }

  /** The subject that an answer is published to; `''` if none is expected. */
  get reply(): string {
    return this.#reply === 0 ? '' : this.#text(this.#reply, this.#replyEnd)
  }

  /**
   * The payload, a view of what came. It keeps up to 64 KiB in memory; see `detach`.
   */
  get data(): Buffer {
    return this.#bytes.subarray(this.#data - this.#base, this.#end - this.#base)
  }

  /** The payload as text, in UTF-8. */
  get text(): string {
    return this.#text(this.#data, this.#end)
  }

  /** The payload as JSON. Throws SyntaxError if it is none. */
  json(): any {
    return JSON.parse(this.text)
  }

  /** The bytes of all of it: subject, reply, header and payload. */
  get size(): Bytes {
    return this.#end - this.#subject
  }

  /** The fields of the header: the values of each name, as they were written. */
  get headers(): ReadonlyMap<string, readonly string[]> {
    return this.#readHeader().fields
  }

  /** The first value of a field of the header; `undefined` if there is none of that name. */
  header(name: string): string | undefined {
    return this.headers.get(name)?.[0]
  }

  /** The status in the header: 503, for example, if nobody has subscribed; 0 if there is none. */
  get status(): number {
    return this.#readHeader().status
  }

  /** The text of that status. */
  get description(): string {
    return this.#readHeader().description
  }

  /**
   * Publishes an answer to `reply`. Returns false if nobody expects one; otherwise returns and
   * throws as `publish`.
   */
  respond(data: Data = '', options: Pick<NatsPublishOptions, 'headers'> = {}): boolean {
    return this.#reply === 0 ? false : this.#publisher.publish(this.reply, data, options)
  }

  /**
   * Copies its bytes, and returns the message. Do that with a message that is kept for long: as it
   * came, it keeps those in memory that came together with it.
   */
  detach(): this {
    this.#bytes = Buffer.from(
      this.#bytes.subarray(this.#subject - this.#base, this.#end - this.#base),
    )
    this.#base = this.#subject
    return this
  }

  #text(from: Bytes, to: Bytes): string {
    return this.#bytes.toString('utf8', from - this.#base, to - this.#base)
  }

  #readHeader(): Header {
    if (this.#header === this.#data) return NO_HEADER
    this.#read ??= readHeader(this.#text(this.#header, this.#data))
    return this.#read
  }
}
