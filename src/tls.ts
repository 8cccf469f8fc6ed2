/**
 * Layer 0. What TLS is given and what it has agreed upon; no code. Part of the seam: transport.ts
 * exports all of it.
 */

import type { Buffer } from 'node:buffer'
import type {
  ConnectionOptions as NodeClientTls,
  PeerCertificate,
  TlsOptions as NodeServerTls,
} from 'node:tls'

/** The two sides of a TLS connection. */
export type TlsSide = 'client' | 'server'

/** What both ends of a TLS connection have agreed upon. */
export interface TlsInfo {
  /** The version: 'TLSv1.3' … */
  readonly protocol: string
  /** The IANA name of the cipher: 'TLS_AES_256_GCM_SHA384' … */
  readonly cipher: string
  /** The protocol agreed upon from both `ALPNProtocols`; `undefined` if there is none. */
  readonly alpn: string | undefined
  /** The server name that the client asked for (SNI); `undefined` if it asked for none. */
  readonly servername: string | undefined
  /** Was the peer's certificate verified? False on a server that asks for no certificates. */
  readonly authorized: boolean
  /**
   * Why the certificate was not verified, if `rejectUnauthorized: false` let the peer through:
   * Node's code (DEPTH_ZERO_SELF_SIGNED_CERT …).
   */
  readonly authorization_error: string | undefined
  /** Was an earlier session resumed, without a certificate being sent again? */
  readonly reused: boolean
  /**
   * The peer's certificate as Node shows it; `undefined` if the peer gave none, and after the
   * connection has closed.
   */
  readonly peer_certificate: PeerCertificate | undefined
  /**
   * On a client: the newest session, or the one that was resumed. To resume it, give it as
   * `tls: { session }`. With TLS 1.3 a server sends a new one after the handshake.
   */
  readonly session: Buffer | undefined
}

/** The options that sluice decides itself: the socket, its settings, addresses and times. */
export type TlsReserved =
  | 'allowHalfOpen'
  | 'blockList'
  | 'handshakeTimeout'
  | 'host'
  | 'isServer'
  | 'keepAlive'
  | 'keepAliveInitialDelay'
  | 'lookup'
  | 'noDelay'
  | 'onread'
  | 'path'
  | 'pauseOnConnect'
  | 'port'
  | 'server'
  | 'signal'
  | 'socket'
  | 'timeout'

/**
 * The options of Node's `tls.connect`, `tls.createServer` and `tls.createSecureContext`, without
 * those that sluice decides itself.
 */
export type TlsOptions = Omit<NodeClientTls, TlsReserved> | Omit<NodeServerTls, TlsReserved>
