/**
 * Layer 2. What both ends of a TLS connection have agreed upon, kept here: Node forgets it when the
 * socket closes.
 *
 * What is used of Node beyond its documentation (checked with Node 20, 22, 24 and 26 on Linux):
 * - `servername` of a TLSSocket: the name that the client asked for.
 */

import type { Buffer } from 'node:buffer'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { TlsInfo } from '../transport.ts'

/**
 * On Bun made as soon as the handshake is over, because Bun forgets it before it reports an error.
 * Undefined elsewhere: there it is made when it is asked for, and most connections do not ask.
 */
export function stateAtOnce(
  socket: TLSSocket,
  session: Buffer | undefined,
  { bun }: NodeJS.Dict<string> = process.versions,
): TlsState | undefined {
  return bun === undefined ? undefined : new TlsState(socket, session)
}

export class TlsState implements TlsInfo {
  readonly protocol: string
  readonly cipher: string
  readonly alpn: string | undefined
  readonly servername: string | undefined
  readonly authorized: boolean
  readonly authorization_error: string | undefined
  readonly reused: boolean
  session: Buffer | undefined
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket, session: Buffer | undefined) {
    this.#socket = socket
    this.session = session
    this.protocol = socket.getProtocol() as string
    this.cipher = socket.getCipher().standardName
    this.alpn = socket.alpnProtocol || undefined
    this.servername = (socket as { servername?: string | false | null }).servername || undefined
    this.authorized = socket.authorized
    this.authorization_error = (socket.authorizationError as unknown as string | null) ?? undefined
    this.reused = socket.isSessionReused()
  }

  keep(session: Buffer): void {
    this.session = session
  }

  get peer_certificate(): PeerCertificate | undefined {
    const certificate = this.#socket.getPeerCertificate() as PeerCertificate | null
    return certificate?.raw === undefined ? undefined : certificate
  }
}
