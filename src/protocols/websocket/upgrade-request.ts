/**
 * Layer 7. UpgradeRequest: what a peer asks for, and the answer of the program.
 */

import { checkRecord } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError, InvalidStateError } from '../../errors.ts'
import type { TlsInfo } from '../../transport.ts'
import type { SocketAddress } from '../../types.ts'
import type { Asked, Headers } from './handshake-text.ts'
import { isToken, isValue, plain } from './head.ts'

/** How a request is accepted. */
export interface AcceptOptions {
  /**
   * The subprotocol; one of those that the peer offers. `''`: none.
   *
   * @default the first one offered that is among `protocols`
   */
  readonly protocol?: string | undefined
  /** More fields for the response, cookies for example. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The answer of the program. */
export type Answer =
  | { readonly kind: 'accept'; readonly protocol: string | undefined; readonly headers: Headers }
  | {
      readonly kind: 'refuse'
      readonly status: number
      readonly headers: Headers
      readonly body: string
    }

/** Where the request comes from. */
interface Origination {
  readonly remote_address: SocketAddress | undefined
  readonly tls?: TlsInfo | undefined
}

/** A request for a WebSocket connection. `on_upgrade` gets it. */
export class UpgradeRequest {
  /** The path, as it was sent: not decoded. */
  readonly path: string
  /** The origin of the page, if a browser asks. */
  readonly origin: string | undefined
  /** The subprotocols that the peer offers, the one that it likes best first. */
  readonly protocols: readonly string[]
  /** The peer: `[host, port]`, or the path of a unix socket. */
  readonly remote_address: SocketAddress | undefined
  /** What TLS has agreed on; undefined if the connection is in clear. */
  readonly tls: TlsInfo | undefined
  readonly #asked: Asked
  readonly #answer: (answer: Answer) => void
  #isAnswered = false
  // Made when somebody asks: few programs look at them.
  #query: URLSearchParams | undefined
  #headers: Readonly<Record<string, string>> | undefined

  /** @hidden */
  constructor(asked: Asked, from: Origination, answer: (answer: Answer) => void) {
    this.path = asked.path
    this.origin = asked.fields.get('origin')?.[0]
    this.protocols = asked.protocols
    this.remote_address = from.remote_address
    this.tls = from.tls
    this.#asked = asked
    this.#answer = answer
  }

  /** The parameters after the '?'. */
  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#asked.query))
  }

  /** The header fields, by their names in lower case. */
  get headers(): Readonly<Record<string, string>> {
    return (this.#headers ??= plain(this.#asked.fields))
  }

  /** Has it been answered? */
  get answered(): boolean {
    return this.#isAnswered
  }

  /**
   * Accepts the request. `on_connect` is called soon.
   *
   * Throws InvalidArgumentError for a subprotocol that was not offered, for an invalid field, and
   * for an option that does not exist. Throws InvalidStateError if it was answered already.
   */
  accept(options: AcceptOptions = {}): void {
    checkOptions('accept', options, ['protocol', 'headers'])
    const { protocol, headers = {} } = options
    if (protocol !== undefined && protocol !== '' && !this.protocols.includes(protocol))
      throw new InvalidArgumentError('accept: protocol', 'one of those offered', protocol)
    this.#settle({ kind: 'accept', protocol, headers: checkHeaders('accept', headers) })
  }

  /**
   * Refuses the request, with a status of HTTP. The connection closes, and no error is reported.
   *
   * Throws InvalidArgumentError for a status that is not 300 to 599 and for an invalid field, and
   * InvalidStateError if the request was answered already.
   */
  refuse(status = 403, headers: Readonly<Record<string, string>> = {}, body = ''): void {
    if (!Number.isInteger(status) || status < 300 || status > 599)
      throw new InvalidArgumentError('refuse: status', '300 to 599', status)
    if (typeof body !== 'string') throw new InvalidArgumentError('refuse: body', 'a string', body)
    this.#settle({ kind: 'refuse', status, headers: checkHeaders('refuse', headers), body })
  }

  #settle(answer: Answer): void {
    if (this.#isAnswered)
      throw new InvalidStateError(`${answer.kind}()`, 'the request was answered', 'answer once')
    this.#isAnswered = true
    this.#answer(answer)
  }
}

/** Fields that the handshake writes itself. */
const OWN = /^(?:connection|upgrade|content-length|transfer-encoding|host|sec-websocket-.*)$/i

/** May a program add a field of that name? */
export function isAddedField(name: string): boolean {
  return isToken(name) && !OWN.test(name)
}

/** Checks the fields that a program adds. Throws InvalidArgumentError. */
export function checkHeaders(call: string, headers: unknown): Headers {
  checkRecord(`${call}: headers`, headers)
  for (const [name, value] of Object.entries(headers as object)) {
    if (!isAddedField(name))
      throw new InvalidArgumentError(
        `${call}: the name of a field`,
        'valid, and not one that the handshake writes',
        name,
      )
    if (typeof value !== 'string' || !isValue(value))
      throw new InvalidArgumentError(`${call}: ${name}`, 'text without line ends', value)
  }
  return headers as Headers
}
