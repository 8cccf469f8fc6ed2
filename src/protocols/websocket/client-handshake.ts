/**
 * Layer 7. ClientHandshake: sends the request and reads the response.
 *
 * start → read (skipped: 100, 103 …) → agreed → the stream opens
 *                                    └► refused → the first bytes of the body → on_connect_error
 */

import type { StreamLink } from '../../channels/streams/stream-link.ts'
import type { Bytes } from '../../types.ts'
import type { Agreed } from './deflate/compression.ts'
import { HandshakeError } from './errors.ts'
import { type Agreement, Handshake, LINGER } from './handshake.ts'
import { readResponse, type Wish, writeRequest } from './handshake-text.ts'
import { type Fields, type Head, type HeadFault, plain } from './head.ts'

/** The most bytes of a body that an error keeps. */
const BODY_MAX: Bytes = 4096

/** How many responses may come before the one that counts. */
const SKIPPED_MAX = 10

/** The client. */
interface ClientSide {
  readonly link: StreamLink
  readonly wish: Wish
  /** How to compress, as the server says; undefined if that is not what was offered. */
  compressionOf(extensions: string): Agreed | undefined
  agreed(agreement: Agreement): void
}

export class ClientHandshake extends Handshake {
  readonly #side: ClientSide
  #skipped = 0
  /** The response that refuses, while its body comes. */
  #refusal: { readonly status: number; readonly fields: Fields } | undefined

  constructor(side: ClientSide) {
    super(side.link)
    this.#side = side
  }

  override start(): void {
    this.transport.write(writeRequest(this.#side.wish), 'latin1')
    super.start()
  }

  wrong({ why }: HeadFault): void {
    this.fail(new HandshakeError(`the response is invalid: ${why}`))
  }

  read(head: Head): void {
    const outcome = readResponse(head, this.#side.wish)
    switch (outcome.kind) {
      case 'skip':
        if (++this.#skipped <= SKIPPED_MAX) return this.readAgain()
        return this.fail(new HandshakeError('there are too many responses before the last one'))
      case 'wrong':
        return this.fail(
          new HandshakeError(
            `the response is no valid upgrade: ${outcome.why}`,
            outcome.status,
            plain(head.fields),
          ),
        )
      case 'refused':
        this.#refusal = { status: outcome.status, fields: head.fields }
        this.waitFor(LINGER, () => this.gone())
        return this.kept()
      case 'agreed':
        return this.#agree(outcome.protocol, outcome.extensions)
    }
  }

  #agree(protocol: string, extensions: string): void {
    const compression = extensions === '' ? undefined : this.#side.compressionOf(extensions)
    if (extensions !== '' && compression === undefined)
      return this.fail(new HandshakeError(`it has the extensions "${extensions}": not as offered`))
    this.stop()
    const { rest, hasEnded } = this
    this.#side.agreed({ protocol, compression, rest, hasEnded })
  }

  /** More of the body has come. */
  override kept(): void {
    if (this.#refusal === undefined) return
    const length = Number(this.#refusal.fields.get('content-length')?.[0] ?? Infinity)
    if (this.rest.length >= Math.min(length, BODY_MAX)) this.gone()
  }

  override heardAll(): void {
    this.gone()
  }

  heardNothing(): void {
    this.fail(new HandshakeError('the server ended before it answered'))
  }

  override gone(): void {
    if (this.#refusal === undefined) return
    const { status, fields } = this.#refusal
    const body = this.rest.subarray(0, BODY_MAX).toString()
    this.fail(
      new HandshakeError(
        `the server refused to speak WebSocket, with status ${status}`,
        status,
        plain(fields),
        body,
      ),
    )
  }
}
