/**
 * Layer 7. ServerHandshake: reads the request of a client, asks the program, and answers.
 *
 * start → read → (rules: path, origin) → on_upgrade → accept → the stream opens
 *              └────────────┴───────────────┴──────► refuse → the peer ends → closed
 *
 * Rules:
 * 1. While the program is asked nothing is read; what has come meanwhile is kept.
 * 2. A refusal is sent, and the peer has time to read it, before the connection closes.
 * 3. The program's own refusal is not an error. Every other one is told to `on_connect_error`.
 */

import type { StreamLink } from '../../channels/streams/stream-link.ts'
import { isPromiseLike } from '../../core/promises.ts'
import type { Agreed } from './deflate/compression.ts'
import { HandshakeError } from './errors.ts'
import { type Agreement, Handshake, LINGER } from './handshake.ts'
import {
  type Asked,
  type Headers,
  readRequest,
  writeAcceptance,
  writeRefusal,
} from './handshake-text.ts'
import { type Head, type HeadFault } from './head.ts'
import { mayConnect, type Origins } from './origins.ts'
import { type Answer, UpgradeRequest } from './upgrade-request.ts'

/** The connection. */
export interface ServerSide {
  readonly link: StreamLink
  /** The path that it serves; undefined: every path. */
  readonly path: string | undefined
  readonly origins: Origins
  /** The subprotocols that it speaks. */
  readonly protocols: readonly string[]
  /** Asks the program. */
  ask(request: UpgradeRequest): unknown
  /** How to compress, of what is offered; undefined: not at all. */
  compressionFor(offers: string): (Agreed & { readonly text: string }) | undefined
  agreed(agreement: Agreement): void
}

export class ServerHandshake extends Handshake {
  readonly #side: ServerSide
  #asked: Asked | undefined
  /** Does the hook run? Then its answer waits. */
  #isAsking = false
  #answer: Answer | undefined
  /** Set when the response is no 101. */
  #isRefused = false
  #error: HandshakeError | undefined

  constructor(side: ServerSide) {
    super(side.link)
    this.#side = side
  }

  wrong({ status, why }: HeadFault): void {
    this.#reject(status, why)
  }

  /** A scanner, or the check of a load balancer. */
  heardNothing(): void {
    this.stop()
    this.link.abort('remote')
  }

  read(head: Head): void {
    const asked = readRequest(head)
    if ('status' in asked) return this.#reject(asked.status, asked.why, asked.headers)
    const { path, origins } = this.#side
    if (path !== undefined && path !== asked.path)
      return this.#reject(404, 'there is nothing at this path')
    const origin = asked.fields.get('origin')?.[0]
    try {
      if (!mayConnect(origins, origin, asked.host))
        return this.#reject(403, `pages of ${origin} must not connect`)
    } catch (error) {
      return this.#threw(error)
    }
    this.#ask(asked)
  }

  // ---- the program ------------------------------------------------------------------------------

  #ask(asked: Asked): void {
    this.#asked = asked
    this.transport.pause()
    const request = new UpgradeRequest(asked, this.transport, answer => this.#answered(answer))
    this.#isAsking = true
    try {
      const result = this.#side.ask(request)
      this.#isAsking = false
      if (isPromiseLike(result))
        Promise.resolve(result).then(
          answer => this.#settle(request, answer),
          (error: unknown) => this.#threw(error),
        )
      else this.#settle(request, result)
      if (this.#answer !== undefined) this.#act(this.#answer)
    } catch (error) {
      this.#isAsking = false
      this.#threw(error)
    }
  }

  #answered(answer: Answer): void {
    if (this.#isAsking) this.#answer = answer
    else this.#act(answer)
  }

  /** The hook is done. If it has not answered, what it has returned does, or the defaults. */
  #settle(request: UpgradeRequest, result: unknown): void {
    if (request.answered) return
    if (result === false) return request.refuse(403)
    const offered = request.protocols
    const isNone = offered.length > 0 && this.#choose(offered) === ''
    // Most clients would refuse a response without a subprotocol.
    if (isNone) this.#reject(400, 'none of the subprotocols asked for is spoken here')
    else request.accept()
  }

  #choose(offered: readonly string[]): string {
    return offered.find(each => this.#side.protocols.includes(each)) ?? ''
  }

  #threw(error: unknown): void {
    if (this.isOver || this.#isRefused) return this.link.life.hookFailed(error)
    this.transport.write(writeRefusal(500, {}, 'the server failed\n'), 'utf8')
    this.link.life.hookFailed(error)
    // on_error may have let it be, but there is nothing to go on with.
    if (!this.isOver) this.#refuse(undefined)
  }

  // ---- the answer -------------------------------------------------------------------------------

  #act(answer: Answer): void {
    // The peer may have gone, or the program may have closed the connection.
    if (this.isOver || this.#isRefused) return
    if (answer.kind === 'accept') return this.#accept(answer.protocol, answer.headers)
    this.transport.write(writeRefusal(answer.status, answer.headers, answer.body), 'utf8')
    this.#refuse(undefined)
  }

  #accept(wanted: string | undefined, headers: Headers): void {
    const { key, protocols, fields } = this.#asked as Asked
    const protocol = wanted ?? this.#choose(protocols)
    const offers = fields.get('sec-websocket-extensions')?.join(', ') ?? ''
    const compression = this.#side.compressionFor(offers)
    const extensions = compression?.text ?? ''
    this.transport.write(writeAcceptance({ key, protocol, extensions, headers }), 'latin1')
    this.stop()
    const { rest, hasEnded } = this
    this.#side.agreed({ protocol, compression, rest, hasEnded })
  }

  /** Refuses what no program would accept. */
  #reject(status: number, why: string, headers: Headers = {}): void {
    this.transport.write(writeRefusal(status, headers, `${why}\n`), 'utf8')
    this.#refuse(new HandshakeError(`the request was refused with ${status}: ${why}`, status))
  }

  /** The response is on its way. What else comes is read and dropped, until the peer ends. */
  #refuse(error: HandshakeError | undefined): void {
    this.#isRefused = true
    this.#error = error
    this.drop()
    this.transport.end()
    this.transport.resume()
    this.waitFor(LINGER, () => this.gone())
  }

  override gone(): void {
    if (!this.#isRefused) return
    if (this.#error !== undefined) return this.fail(this.#error)
    this.stop()
    this.link.abort('local')
  }
}
